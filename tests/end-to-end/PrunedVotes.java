import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.diffcert.diffusion.ClassifierOptions;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionClassifier;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.NoiseMode;
import org.diffcert.diffusion.Pruning;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageData;
import org.diffcert.image.ImageShape;
import org.diffcert.image.ImageSource;
import org.diffcert.model.Model;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Weighting;

/**
 * What pruning saves and changes: network calls a vote, agreement with the votes of the first rule on the same noise, seconds and the process's
 * peak memory so far, a row a rule. Arguments: model, data ("random" = images of noise), images FROM:TO, samples an image, classifier, sigma, levels,
 * grid, weights, then rules: none, paired:ERROR or published:LEVELS:THRESHOLD:KEEP. -Dthreads=N: threads of the network, default one a core.
 */
public final class PrunedVotes {
  private static final int SETTINGS = 9;

  private PrunedVotes() {}

  public static void main(String[] a) throws IOException {
    int from = Integer.parseInt(a[2].split(":")[0]);
    int images = Integer.parseInt(a[2].split(":")[1]) - from;
    int samples = Integer.parseInt(a[3]);
    ClassifierOptions options = new ClassifierOptions(ClassifierKind.of(a[4]), List.of(new Sigma(Double.parseDouble(a[5]))), Integer.parseInt(a[6]),
        GridKind.of(a[7]), Weighting.of(a[8]), true, NoiseMode.INTEGER, 20261121, 0);
    System.out.printf("%-28s %10s %10s %10s %12s %8s %9s%n", "rule", "calls", "of", "agree", "of votes", "s/vote", "peak MiB");
    int[] first = null;
    try (Model file = Model.open(Path.of(a[0]));
        DiffusionModel model = DiffusionModel.open(file, DeviceOptions.on(Device.CPU).withMaxBatch(80).withThreads(Integer.getInteger("threads", 0)))) {
      for (String rule : Arrays.copyOfRange(a, SETTINGS, a.length)) {
        int[] votes = new int[images * samples];
        long calls = 0;
        long most;
        long start = System.nanoTime();
        try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, options.withPruning(pruning(rule)))) {
          most = classifier.callsPerSample();
          for (int i = 0; i < images; i++) {
            int[][] some = new int[1][samples];
            long[] each = new long[samples];
            classifier.votes(image(a[1], from + i, classifier.shape()), from + i, Phase.ESTIMATE, 0, samples, some, each);
            System.arraycopy(some[0], 0, votes, i * samples, samples);
            calls += Arrays.stream(each).sum();
          }
        }
        first = first == null ? votes : first;
        int agree = 0;
        for (int v = 0; v < votes.length; v++) {
          agree += votes[v] == first[v] ? 1 : 0;
        }
        System.out.printf(Locale.ROOT, "%-28s %10.1f %10d %10d %12d %8.3f %9d%n", rule, (double) calls / votes.length, most, agree,
            votes.length, (System.nanoTime() - start) / 1e9 / votes.length, peak());
      }
    }
  }

  private static Pruning pruning(String rule) {
    String[] parts = rule.split(":");
    return switch (Pruning.Kind.of(parts[0])) {
      case NONE -> Pruning.NONE;
      case PAIRED -> Pruning.paired(Double.parseDouble(parts[1]));
      case PUBLISHED -> Pruning.published(Integer.parseInt(parts[1]), Double.parseDouble(parts[2]), Integer.parseInt(parts[3]));
    };
  }

  private static ByteImage image(String data, int index, ImageShape shape) {
    if (data.equals("random")) {
      byte[] pixels = new byte[shape.elements()];
      new SplittableRandom(index).nextBytes(pixels);
      return new ByteImage(shape, pixels);
    }
    try (ImageData set = ImageSource.open(data)) {
      return set.image(index);
    }
  }

  /** Of the whole process, network and JVM included. */
  private static long peak() throws IOException {
    String line = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("VmHWM")).findFirst().orElseThrow();
    return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
  }
}
