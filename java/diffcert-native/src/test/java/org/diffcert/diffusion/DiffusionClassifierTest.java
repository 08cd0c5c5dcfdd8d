package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Certifier;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.diffusion.jni.DiffcertAbi;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Diffusion classifiers on the shipped model and images. */
class DiffusionClassifierTest {
  private static final Path ROOT = Path.of("..", "..");
  private static Model file;
  private static ImageData images;

  @BeforeAll
  static void open() {
    file = Model.open(ROOT.resolve("models/mnist-edm.safetensors"));
    images = ImageSource.open("mnist:" + ROOT.resolve("data/mnist"));
  }

  @AfterAll
  static void close() {
    file.close();
    images.close();
  }

  private static DiffusionModel model(int threads, int maxBatch) {
    return DiffusionModel.open(file, DeviceOptions.on(Device.CPU).withThreads(threads).withMaxBatch(maxBatch));
  }

  private static ClassifierOptions options(ClassifierKind kind, NoiseMode noise, double... sigmas) {
    return new ClassifierOptions(kind, Arrays.stream(sigmas).mapToObj(Sigma::new).toList(), 6, GridKind.LOG,
        Weighting.EDM, true, noise,
        0x0123456789abcdefL, 0);
  }

  private static int[][] votes(DiffusionClassifier classifier, int image, int from, int to) {
    int[][] votes = new int[classifier.sigmas().size()][to - from];
    classifier.votes(images.image(image), image, Phase.ESTIMATE, from, to, votes);
    return votes;
  }

  @Test
  void mostSingleNoisyVotesAreRight() {
    try (DiffusionModel model = model(0, 16)) {
      for (ClassifierKind kind : List.of(ClassifierKind.APNDC, ClassifierKind.APNDC_ENSEMBLE)) {
        try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null,
            options(kind, NoiseMode.INTEGER, 0.5))) {
          long right = IntStream.range(0, 10).filter(i -> votes(classifier, i, 0, 1)[0][0] == images.label(i)).count();
          assertTrue(right >= 7, kind.cliName() + ": only " + right + " of 10 votes are right");
        }
      }
    }
  }

  @Test
  void votesAreTheSameHoweverTheWorkIsCut() {
    ClassifierOptions options = options(ClassifierKind.EPNDC, NoiseMode.PATH, 0.25, 0.5);
    int[][] expected;
    double[][] losses;
    try (DiffusionModel model = model(1, 16);
        DiffusionClassifier classifier = DiffusionClassifier.open(model, null, options.withBatch(1))) {
      expected = votes(classifier, 3, 0, 5);
      losses = classifier.losses(images.image(3), 3, Phase.ESTIMATE, 4);
    }
    try (DiffusionModel model = model(2, 61)) {
      for (int batch : new int[] {7, 61}) {
        try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, options.withBatch(batch))) {
          votes(classifier, 5, 0, 1);
          int[][] tail = votes(classifier, 3, 2, 5);
          int[][] head = votes(classifier, 3, 0, 2);
          for (int s = 0; s < 2; s++) {
            assertArrayEquals(Arrays.copyOf(expected[s], 2), head[s]);
            assertArrayEquals(Arrays.copyOfRange(expected[s], 2, 5), tail[s]);
            // Without a tolerance, assertArrayEquals compares the bits.
            assertArrayEquals(losses[s], classifier.losses(images.image(3), 3, Phase.ESTIMATE, 4)[s]);
          }
        }
      }
    }
  }

  @Test
  void theVoteIsTheClassOfTheLeastLoss() {
    try (DiffusionModel model = model(0, 16);
        DiffusionClassifier classifier =
            DiffusionClassifier.open(model, null, options(ClassifierKind.APNDC_CONDITIONAL, NoiseMode.INTEGER, 0.25))) {
      double[] losses = classifier.losses(images.image(1), 1, Phase.ESTIMATE, 2)[0];
      int least = IntStream.range(0, 10).reduce(0, (a, b) -> losses[b] < losses[a] ? b : a);
      assertEquals(least, votes(classifier, 1, 2, 3)[0][0]);
      assertEquals(6 * 10, classifier.callsPerSample());
      assertEquals(10, classifier.classes());
      assertEquals(images.shape(), classifier.shape());
    }
  }

  @Test
  void theIdentityHasAllThatVotesDependOnAndNoMore() {
    ClassifierOptions base = options(ClassifierKind.EPNDC, NoiseMode.INTEGER, 0.25, 0.5);
    List<ClassifierOptions> others = List.of(base.withSeed(-1),
        options(ClassifierKind.EPNDC, NoiseMode.PATH, 0.25, 0.5),
        options(ClassifierKind.EPNDC, NoiseMode.FLOAT, 0.25, 0.5),
        options(ClassifierKind.EPNDC, NoiseMode.INTEGER, 0.25),
        options(ClassifierKind.APNDC, NoiseMode.INTEGER, 0.25, 0.5),
        base.withPruning(Pruning.PAIRED), base.withPruning(Pruning.paired(0.02)), base.withPruning(Pruning.PUBLISHED),
        base.withPruning(Pruning.published(49, 5e-5, 10)), base.withPruning(Pruning.published(50, 6e-5, 10)),
        base.withPruning(Pruning.published(50, 5e-5, 9)),
        new ClassifierOptions(base.kind(), base.sigmas(), 7, base.grid(), base.weighting(), true, base.noise(),
        base.seed(), 0),
        new ClassifierOptions(base.kind(), base.sigmas(), 6, base.grid(), Weighting.ELBO, true, base.noise(),
        base.seed(), 0),
        new ClassifierOptions(base.kind(), base.sigmas(), 6, base.grid(), base.weighting(), false, base.noise(),
        base.seed(), 0));
    try (DiffusionModel model = model(1, 4); DiffusionModel other = model(2, 8)) {
      Map<String, Object> identity = identity(model, base);
      assertEquals(identity, identity(other, base.withBatch(3)));
      assertEquals(model.digest(), identity.get("model"));
      Set<Map<String, Object>> all = new HashSet<>(Set.of(identity));
      for (ClassifierOptions options : others) {
        assertTrue(all.add(identity(model, options)), options.toString());
      }
    }
  }

  @Test
  void prunedVotesAreCastForFewerCallsAndCountThem() {
    ClassifierOptions all = options(ClassifierKind.APNDC_ENSEMBLE, NoiseMode.INTEGER, 0.5).withLevels(9, GridKind.LOG);
    try (DiffusionModel model = model(0, 61)) {
      int[][] wanted = new int[1][12];
      long[] calls = new long[12];
      try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, all)) {
        classifier.votes(images.image(1), 1, Phase.ESTIMATE, 0, 12, wanted, calls);
        assertArrayEquals(LongStream.generate(() -> 81).limit(12).toArray(), calls);
      }
      for (Pruning rule : List.of(Pruning.PAIRED, Pruning.published(5, 5e-4, 3), Pruning.paired(0),
          Pruning.published(5, 5e-4, 10))) {
        try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, all.withPruning(rule))) {
          int[][] votes = new int[1][12];
          classifier.votes(images.image(1), 1, Phase.ESTIMATE, 0, 12, votes, calls);
          long agree = IntStream.range(0, 12).filter(j -> votes[0][j] == wanted[0][j]).count();
          assertTrue(agree >= 11, rule + ": " + agree + " of 12 votes agree");
          long most = classifier.callsPerSample();
          assertTrue(Arrays.stream(calls).allMatch(c -> c > 0 && c <= most), rule + ": " + Arrays.toString(calls));
          boolean drops = !rule.equals(Pruning.paired(0)) && rule.keep() < 10;
          assertEquals(drops, Arrays.stream(calls).sum() < 12 * 70, rule + ": " + Arrays.toString(calls));
          if (!drops) {
            assertArrayEquals(wanted, votes, "nothing is dropped");
          }
          double[] losses = classifier.losses(images.image(1), 1, Phase.ESTIMATE, 2)[0];
          assertEquals(drops, Arrays.stream(losses).anyMatch(loss -> loss == Double.POSITIVE_INFINITY));
        }
      }
    }
  }

  @Test
  void pruningHasItsLimits() {
    usage("at least one class", () -> Pruning.published(50, 5e-5, 0));
    usage("threshold", () -> Pruning.published(50, Double.NaN, 10));
    usage("threshold", () -> Pruning.published(50, Double.POSITIVE_INFINITY, 10));
    usage("0 to 0.5", () -> Pruning.paired(0.6));
    usage("does not read", () -> new Pruning(Pruning.Kind.PAIRED, 0, 0, 10, 0.1));
    usage("no pruning is called 'all'", () -> Pruning.Kind.of("all"));
    usage("the levels that sift", () -> options(ClassifierKind.EPNDC, NoiseMode.INTEGER, 0.25)
        .withPruning(Pruning.published(1, 5e-5, 10)).siftSchedules());
    ClassifierOptions sifting = ClassifierOptions.of(ClassifierKind.APNDC_ENSEMBLE,
        new Sigma(0.5)).withPruning(Pruning.PUBLISHED);
    assertEquals(48, sifting.siftSchedules().get(0).size());
    assertEquals(sifting.schedules().get(0).weights()[0], sifting.siftSchedules().get(0).weights()[0],
        0.1 * sifting.schedules().get(0).weights()[0], "both grids begin at the same level and weigh it alike");
    assertEquals(List.of(), sifting.withPruning(Pruning.PAIRED).siftSchedules());
    for (Pruning.Kind kind : Pruning.Kind.values()) {
      assertEquals(kind.ordinal(), kind.code());
      assertEquals(kind, Pruning.Kind.of(kind.cliName()));
    }
    assertEquals(DiffcertAbi.DC_PRUNE_NONE, Pruning.Kind.NONE.code());
    assertEquals(DiffcertAbi.DC_PRUNE_PUBLISHED, Pruning.Kind.PUBLISHED.code());
    assertEquals(DiffcertAbi.DC_PRUNE_PAIRED, Pruning.Kind.PAIRED.code());
  }

  private static Map<String, Object> identity(DiffusionModel model, ClassifierOptions options) {
    try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, options)) {
      assertEquals("cpu", classifier.provenance().get("device"));
      assertEquals(NativeLibrary.buildDigest(), classifier.provenance().get("nativeBuild"));
      return classifier.identity();
    }
  }

  /** The example of the README, with fewer levels and samples. */
  @Test
  void theExampleOfTheReadmeCertifiesADigit() {
    ClassifierOptions options = ClassifierOptions.of(ClassifierKind.APNDC_ENSEMBLE, new Sigma(0.5)).withLevels(6,
        GridKind.LOG)
        .withSeed(1);
    try (DiffusionModel model = DiffusionModel.open(file, DeviceOptions.on(Device.of("auto")));
        DiffusionClassifier votes = DiffusionClassifier.open(model, null, options)) {
      List<Certificate> found = new Certifier(votes, CertifyConfig.of(2, 20, 0.001)).certify(images.image(0), 0);
      assertEquals(1, found.size());
      assertEquals(7, found.get(0).candidate());
      assertEquals(20, found.get(0).estimation().total());
    }
  }

  @Test
  void everyDrawOfASeedIsAnother() {
    ClassifierOptions one = ClassifierOptions.of(ClassifierKind.EPNDC, new Sigma(0.25), new Sigma(0.5));
    assertEquals(NoiseMode.PATH, one.noise());
    assertNotEquals(one.seed(), ClassifierOptions.of(ClassifierKind.EPNDC, new Sigma(0.25)).seed());
  }

  @Test
  void lifeOfAClassifier() {
    DiffusionModel model = model(1, 4);
    DiffusionClassifier classifier = DiffusionClassifier.open(model, null,
        options(ClassifierKind.DC, NoiseMode.INTEGER, 0.25));
    int[][] before = votes(classifier, 0, 0, 1);
    model.close();
    assertArrayEquals(before, votes(classifier, 0, 0, 1), "the classifier keeps the network of a closed model");
    classifier.close();
    classifier.close();
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> votes(classifier, 0, 0, 1));
    assertTrue(e.getMessage().contains("closed"), e.getMessage());
    assertThrows(IllegalStateException.class, classifier::callsPerSample);
    assertThrows(IllegalStateException.class,
        () -> DiffusionClassifier.open(model, null, options(ClassifierKind.DC, NoiseMode.INTEGER, 0.25)));
  }

  @Test
  void mistakesAreNamed() {
    usage("epndc alone", () -> options(ClassifierKind.APNDC, NoiseMode.PATH, 0.25));
    usage("ascend", () -> options(ClassifierKind.DC, NoiseMode.INTEGER, 0.5, 0.25));
    usage("at least one", () -> options(ClassifierKind.DC, NoiseMode.INTEGER));
    try (DiffusionModel model = model(1, 4)) {
      usage("1.5", () -> DiffusionClassifier.open(model, null, options(ClassifierKind.EPNDC, NoiseMode.INTEGER, 1.5)));
      try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null,
          options(ClassifierKind.DC, NoiseMode.INTEGER, 0.25))) {
        ByteImage colour = new ByteImage(new ImageShape(3, 32, 32), new byte[3 * 32 * 32]);
        usage("3x32x32", () -> classifier.votes(colour, 0, Phase.SELECT, 0, 1, new int[1][1]));
        assertThrows(IllegalArgumentException.class, () -> classifier.votes(images.image(0), 0, Phase.SELECT, 2, 1,
            new int[1][1]));
      }
      usage("noise values", () -> Elbo.residuals(model, null, ClassifierKind.DC, true, new Sigma(0.5), new double[784],
          new double[1],
          new double[] {1}, new double[783]));
    }
  }

  private static void usage(String part, Runnable call) {
    DiffcertException e = assertThrows(DiffcertException.class, call::run);
    assertEquals(DiffcertException.Kind.USAGE, e.kind());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void residualsOfExplicitNoise() {
    double[] x = new double[784];
    double[] noise = new double[2 * 784];
    Arrays.setAll(noise, e -> Math.sin(3 * e));
    try (DiffusionModel model = model(1, 4); DiffusionModel reference = DiffusionModel.open(file,
        DeviceOptions.on(Device.REFERENCE))) {
      double[] lower = {1.1, 1.5};
      double[] upper = {1.5, 2};
      double[][] found = Elbo.residuals(model, null, ClassifierKind.EPNDC, true, new Sigma(0.5), x, lower, upper,
          noise);
      double[][] wanted = Elbo.residuals(reference, null, ClassifierKind.EPNDC, true, new Sigma(0.5), x, lower, upper,
          noise);
      assertEquals(10, found.length);
      for (int c = 0; c < 10; c++) {
        for (int i = 0; i < 2; i++) {
          assertEquals(wanted[c][i], found[c][i], 1e-4 * wanted[c][i]);
        }
      }
      assertNotEquals(found[0][0], found[1][0]);
    }
  }
}
