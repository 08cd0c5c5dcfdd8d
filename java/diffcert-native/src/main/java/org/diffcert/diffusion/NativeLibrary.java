package org.diffcert.diffusion;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.net.MalformedURLException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.diffusion.jni.BindingRecipe;
import org.diffcert.diffusion.jni.DiffcertAbi;

/**
 * The one place where the native core is loaded. Sources, in this order:
 *
 * <ol>
 *   <li>the directory named by the system property {@value #PATH_PROPERTY}, which must hold both libraries: nothing
 *     else is tried;
 *   <li>the libraries beside the classes, where the class path is a directory;
 *   <li>the libraries in the jar, extracted once to a cache of this user ({@code ~/.javacpp/cache}, mode 0700, or the
 *     directory named by {@code org.bytedeco.javacpp.cachedir});
 *   <li>{@code java.library.path}.
 * </ol>
 *
 * <p>Each step is logged at debug. A library that cannot be loaded, or whose ABI version is another one than this class
 * was built for, is a {@link DiffcertException} of kind {@link Kind#DEVICE} that says what to do; it is thrown again at
 * each later use. Thread-safe.
 */
public final class NativeLibrary {
  /**
   * System property: a directory with libdiffcert.so and libjniDiffcertAbi.so, to be used instead of those in the jar.
   */
  public static final String PATH_PROPERTY = "diffcert.library.path";

  private static final System.Logger LOG = System.getLogger(NativeLibrary.class.getName());
  private static final String CORE = "diffcert";
  private static final String GLUE = "jniDiffcertAbi";

  /** Where the module diffcert-cuda has the GPU's kernels; no package's name, so that a module does not hide it. */
  private static final String KERNELS = "org/diffcert/cuda/linux-x86_64/libdiffcert-cuda.so";

  private static boolean loaded;
  private static DiffcertException failure;
  private static boolean kernelsNamed;

  private NativeLibrary() {}

  /**
   * Loads the native core if this has not been done yet.
   *
   * @throws DiffcertException of kind DEVICE if it cannot be loaded or has another ABI version
   */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    if (failure != null) {
      throw new DiffcertException(failure.kind(), failure.getMessage(), failure);
    }
    try {
      String directory = System.getProperty(PATH_PROPERTY, "");
      if (!directory.isEmpty()) {
        loadFrom(Path.of(directory));
      } else {
        Path cache = protectCache();
        if (inJar(CORE) && inJar(GLUE)) {
          Map<String, URL> libraries = new LinkedHashMap<>();
          for (String name : new String[] {CORE, GLUE}) {
            libraries.put(System.mapLibraryName(name), resource(name));
          }
          loadFrom(extract(cache, "diffcert-native-", libraries));
        }
      }
      Loader.load(DiffcertAbi.class);
      checkVersion(DiffcertAbi.dc_abi_version(), DiffcertAbi.DC_ABI_VERSION);
      loaded = true;
    } catch (DiffcertException e) {
      failure = e;
      throw e;
    } catch (LinkageError | RuntimeException | IOException e) {
      failure = new DiffcertException(Kind.DEVICE, "The native library of diffcert cannot be loaded on " + platform()
          + ": "
          + reason(e) + "; the jar carries it for linux-x86_64, and -D" + PATH_PROPERTY
          + "=DIR names a directory with your own build.",
          e);
      throw failure;
    }
    LOG.log(Level.DEBUG, () -> "native library ready: " + buildInfo() + ", digest " + buildDigest());
  }

  /** Loads the native core, and shows it the GPU's kernels if the device is one that needs them. */
  static synchronized void load(Device device) {
    load();
    if (kernelsNamed || !device.name().startsWith("cuda")) {
      return;
    }
    Optional<Path> kernels = kernels();
    kernels.ifPresent(file -> check(DiffcertAbi.dc_device_library("cuda", file.toString()), "dc_device_library"));
    kernelsNamed = true;
  }

  /**
   * The GPU's kernels on the class path or module path: those of diffcert-cuda's jar for this platform, extracted to
   * the cache where they are in a jar. Without them the native core looks beside itself, and in
   * {@code DIFFCERT_DEVICE_PATH} in any case.
   *
   * @return the file libdiffcert-cuda.so; empty if no such jar is there, or if it was made where there was no nvcc
   * @throws DiffcertException of kind DEVICE if they cannot be extracted
   */
  public static synchronized Optional<Path> kernels() {
    URL url = NativeLibrary.class.getClassLoader().getResource(KERNELS);
    if (url == null) {
      return Optional.empty();
    }
    try {
      if (url.getProtocol().equals("file")) {
        return Optional.of(Path.of(url.toURI()));
      }
      String name = KERNELS.substring(KERNELS.lastIndexOf('/') + 1);
      return Optional.of(extract(protectCache(), "diffcert-cuda-", Map.of(name, url)).resolve(name));
    } catch (IOException | URISyntaxException e) {
      throw new DiffcertException(Kind.DEVICE, "The GPU's kernels cannot be taken out of " + url + ": " + reason(e)
          + ".", e);
    }
  }

  /**
   * Compiler, instruction sets and CUDA (or why not) of the native core, on one line.
   *
   * @return the line
   * @throws DiffcertException of kind DEVICE if the library cannot be loaded
   */
  public static String buildInfo() {
    load();
    return string(DiffcertAbi.dc_build_info());
  }

  /**
   * The digest of the native core's source and compiler, for the provenance of results.
   *
   * @return 16 hexadecimal digits
   * @throws DiffcertException of kind DEVICE if the library cannot be loaded
   */
  public static String buildDigest() {
    load();
    return string(DiffcertAbi.dc_build_digest());
  }

  /**
   * Where the native core was loaded from.
   *
   * @return the file, or the bare library name if the system's search path found it
   * @throws DiffcertException of kind DEVICE if the library cannot be loaded
   */
  public static String location() {
    load();
    return Loader.getLoadedLibraries().getOrDefault(CORE, CORE);
  }

  /**
   * Turns a status that is not OK into the exception of its kind, with the sentence that the native core left on this
   * thread.
   *
   * @param code the {@code dc_status}
   * @param call the native function, for a failure that left no sentence
   * @throws DiffcertException if the status is not OK
   */
  static void check(int code, String call) {
    if (code == NativeStatus.OK.code()) {
      return;
    }
    NativeStatus status = NativeStatus.of(code);
    String sentence = string(DiffcertAbi.dc_last_error());
    throw new DiffcertException(status.kind(),
        sentence.isEmpty() ? "The native function " + call + " failed with status " + code + " (" + status + ")."
        : sentence);
  }

  /** Copies a string of static storage. */
  private static String string(BytePointer pointer) {
    return pointer == null || pointer.isNull() ? "" : pointer.getString(java.nio.charset.StandardCharsets.UTF_8);
  }

  static void checkVersion(int found, int wanted) {
    if (found != wanted) {
      throw new DiffcertException(Kind.DEVICE, "The native library has ABI version " + Integer.toUnsignedString(found)
          + ", but this jar was built for ABI version " + wanted + "; use the library that came with the jar.");
    }
  }

  private static void loadFrom(Path directory) {
    for (String name : new String[] {CORE, GLUE}) {
      File file = directory.resolve(System.mapLibraryName(name)).toFile();
      if (!file.isFile()) {
        throw new DiffcertException(Kind.DEVICE, "There is no native library " + file + "; -D" + PATH_PROPERTY
            + " must name a directory that holds it.");
      }
      LOG.log(Level.DEBUG, "loading {0}", file);
      try {
        Loader.loadLibrary(BindingRecipe.class, new URL[] {file.getAbsoluteFile().toURI().toURL()}, name);
      } catch (MalformedURLException e) {
        throw new DiffcertException(Kind.DEVICE, "The path " + file + " cannot be written as a URL.", e);
      }
    }
  }

  /** Makes the cache directory for this user alone before JavaCPP makes it with the default mode. */
  private static Path protectCache() {
    String named = System.getProperty("org.bytedeco.javacpp.cachedir",
        System.getProperty("org.bytedeco.javacpp.cacheDir", ""));
    Path cache = named.isEmpty() ? Path.of(System.getProperty("user.home"), ".javacpp", "cache") : Path.of(named);
    LOG.log(Level.DEBUG, "looking beside the classes, in the jar (cache {0}), then in java.library.path", cache);
    try {
      makePrivate(cache);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "cannot prepare the cache " + cache + "; JavaCPP will choose one", e);
    }
    return cache;
  }

  /**
   * Makes a directory for this user alone, and refuses one that others may write into: a planted library would run as
   * this user.
   */
  private static void makePrivate(Path directory) throws IOException {
    try {
      if (!Files.exists(directory)) {
        Files.createDirectories(directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      Set<PosixFilePermission> open = EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
      open.retainAll(Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS));
      if (!open.isEmpty()) {
        throw new DiffcertException(Kind.DEVICE, "Others may write into " + directory
            + ", where native libraries are kept; "
            + "say 'chmod 700 " + directory + "' or name another directory with -Dorg.bytedeco.javacpp.cachedir=DIR.");
      }
    } catch (UnsupportedOperationException e) {
      LOG.log(Level.DEBUG, "no permissions are known of " + directory, e);
      Files.createDirectories(directory);
    }
  }

  private static URL resource(String name) {
    return BindingRecipe.class.getResource("linux-x86_64/" + System.mapLibraryName(name));
  }

  private static boolean inJar(String name) {
    URL url = resource(name);
    return url != null && !url.getProtocol().equals("file");
  }

  /**
   * Puts libraries into a directory named by their content. JavaCPP's own cache goes by size and time stamp, and both
   * can be those of an older build, since the jar is built reproducibly.
   */
  static Path extract(Path cache, String prefix, Map<String, URL> libraries) throws IOException {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    for (Map.Entry<String, URL> library : libraries.entrySet()) {
      try (InputStream in = library.getValue().openStream()) {
        byte[] content = in.readAllBytes();
        sha.update(content);
        contents.put(library.getKey(), content);
      }
    }
    Path directory = cache.resolve(prefix + HexFormat.of().formatHex(sha.digest(), 0, 8));
    makePrivate(directory);
    for (Map.Entry<String, byte[]> library : contents.entrySet()) {
      Path file = directory.resolve(library.getKey());
      if (!Files.isRegularFile(file) || !Arrays.equals(Files.readAllBytes(file), library.getValue())) {
        Path part = Files.createTempFile(directory, library.getKey(), ".part");
        Files.write(part, library.getValue());
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return directory;
  }

  private static String platform() {
    return System.getProperty("os.name") + " " + System.getProperty("os.arch");
  }

  private static String reason(Throwable error) {
    Throwable deepest = error;
    while (deepest.getCause() != null && deepest.getCause() != deepest) {
      deepest = deepest.getCause();
    }
    String message = deepest.getMessage();
    return message == null ? deepest.getClass().getSimpleName() : message.lines().findFirst().orElse("").strip();
  }
}
