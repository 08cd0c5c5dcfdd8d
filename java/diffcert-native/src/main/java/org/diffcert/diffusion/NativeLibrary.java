package org.diffcert.diffusion;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.net.MalformedURLException;
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
 *   <li>the directory named by the system property {@value #PATH_PROPERTY}, which must hold both libraries: nothing else is tried;
 *   <li>the libraries beside the classes, where the class path is a directory;
 *   <li>the libraries in the jar, extracted once to a cache of this user ({@code ~/.javacpp/cache}, mode 0700, or the directory named
 *       by {@code org.bytedeco.javacpp.cachedir});
 *   <li>{@code java.library.path}.
 * </ol>
 *
 * <p>Each step is logged at debug. A library that cannot be loaded, or whose ABI version is another one than this class was built
 * for, is a {@link DiffcertException} of kind {@link Kind#DEVICE} that says what to do; it is thrown again at each later use. Thread-safe.
 */
public final class NativeLibrary {
  /** System property: a directory with libdiffcert.so and libjniDiffcertAbi.so, to be used instead of those in the jar. */
  public static final String PATH_PROPERTY = "diffcert.library.path";

  private static final System.Logger LOG = System.getLogger(NativeLibrary.class.getName());
  private static final String CORE = "diffcert";
  private static final String GLUE = "jniDiffcertAbi";

  private static boolean loaded;
  private static DiffcertException failure;

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
          loadFrom(extract(cache));
        }
      }
      Loader.load(DiffcertAbi.class);
      checkVersion(DiffcertAbi.dc_abi_version(), DiffcertAbi.DC_ABI_VERSION);
      loaded = true;
    } catch (DiffcertException e) {
      failure = e;
      throw e;
    } catch (LinkageError | RuntimeException | IOException e) {
      failure = new DiffcertException(Kind.DEVICE, "The native library of diffcert cannot be loaded on " + platform() + ": "
          + reason(e) + "; the jar carries it for linux-x86_64, and -D" + PATH_PROPERTY + "=DIR names a directory with your own build.",
          e);
      throw failure;
    }
    LOG.log(Level.DEBUG, () -> "native library ready: " + buildInfo() + ", digest " + buildDigest());
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
   * Turns a status that is not OK into the exception of its kind, with the sentence that the native core left on this thread.
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
        sentence.isEmpty() ? "The native function " + call + " failed with status " + code + " (" + status + ")." : sentence);
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
        throw new DiffcertException(Kind.DEVICE, "There is no native library " + file + "; -D" + PATH_PROPERTY + " must name a directory that holds it.");
      }
      LOG.log(Level.DEBUG, "loading {0}", file);
      try {
        Loader.loadLibrary(BindingRecipe.class, new URL[] {file.getAbsoluteFile().toURI().toURL()}, name);
      } catch (MalformedURLException e) {
        throw new DiffcertException(Kind.DEVICE, "The path " + file + " cannot be written as a URL.", e);
      }
    }
  }

  /**
   * Makes the cache directory for this user alone before JavaCPP makes it with the default mode, and refuses one that others may write
   * into: a planted library would run as this user.
   */
  private static Path protectCache() {
    String named = System.getProperty("org.bytedeco.javacpp.cachedir", System.getProperty("org.bytedeco.javacpp.cacheDir", ""));
    Path cache = named.isEmpty() ? Path.of(System.getProperty("user.home"), ".javacpp", "cache") : Path.of(named);
    LOG.log(Level.DEBUG, "looking beside the classes, in the jar (cache {0}), then in java.library.path", cache);
    try {
      if (!Files.exists(cache)) {
        Files.createDirectories(cache, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      Set<PosixFilePermission> open = EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
      open.retainAll(Files.getPosixFilePermissions(cache, LinkOption.NOFOLLOW_LINKS));
      if (!open.isEmpty()) {
        throw new DiffcertException(Kind.DEVICE, "Others may write into " + cache + ", where native libraries are kept; "
            + "say 'chmod 700 " + cache + "' or name another directory with -Dorg.bytedeco.javacpp.cachedir=DIR.");
      }
    } catch (IOException | UnsupportedOperationException e) {
      LOG.log(Level.DEBUG, "cannot prepare the cache " + cache + "; JavaCPP will choose one", e);
    }
    return cache;
  }

  private static URL resource(String name) {
    return BindingRecipe.class.getResource("linux-x86_64/" + System.mapLibraryName(name));
  }

  private static boolean inJar(String name) {
    URL url = resource(name);
    return url != null && !url.getProtocol().equals("file");
  }

  /**
   * Puts both libraries into a directory named by their content. JavaCPP's own cache goes by size and time stamp, and both can be those
   * of an older build, since the jar is built reproducibly.
   */
  private static Path extract(Path cache) throws IOException {
    String[] names = {CORE, GLUE};
    byte[][] contents = new byte[names.length][];
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    for (int i = 0; i < names.length; i++) {
      try (InputStream in = resource(names[i]).openStream()) {
        contents[i] = in.readAllBytes();
      }
      sha.update(contents[i]);
    }
    Path directory = cache.resolve("diffcert-native-" + HexFormat.of().formatHex(sha.digest(), 0, 8));
    Files.createDirectories(directory);
    for (int i = 0; i < names.length; i++) {
      Path file = directory.resolve(System.mapLibraryName(names[i]));
      if (!Files.isRegularFile(file) || !Arrays.equals(Files.readAllBytes(file), contents[i])) {
        Path part = Files.createTempFile(directory, names[i], ".part");
        Files.write(part, contents[i]);
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
