package org.diffcert.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.diffcert.DiffcertException;
import org.diffcert.denoise.DdpmSchedule;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Weighting;
import org.junit.jupiter.api.Test;

/** Networks with a head for each class: configuration, votes, losses and gradients of all classes. */
class MultiHeadTest {
  private static final double[] LEVELS = {0.4, 1.1, 2.3};
  private static final double[] WEIGHTS = {1, 0.5, 0.2};

  private static NetworkConfig config() {
    return SmallModel.make().config().withHeads(SmallModel.CLASSES);
  }

  private static DiffusionModel open(int maxBatch) {
    return DiffusionModel.open(Model.random(config(), 5),
        DeviceOptions.on(Device.CPU).withThreads(2).withMaxBatch(maxBatch).withGradients(Gradients.IMAGE));
  }

  private static double[] normals(int count, long seed) {
    Random random = new Random(seed);
    double[] values = new double[count];
    Arrays.setAll(values, i -> random.nextGaussian());
    return values;
  }

  @Test
  void headsAreAPartOfTheConfigurationWhereThereAreSeveral() {
    NetworkConfig config = config();
    assertEquals(SmallModel.CLASSES + 1, config.heads());
    assertEquals(SmallModel.CLASSES, config.classes());
    assertTrue(config.multiHead());
    assertEquals(config, NetworkConfig.parse(config.precond().published(), config.toJson()));
    assertTrue(config.canonical().contains("\"heads\":4"), config.canonical());
    NetworkConfig single = SmallModel.make().config();
    assertFalse(single.canonical().contains("heads"), "a digest of a network with one head is what it was");
    assertEquals(SmallModel.CLASSES, single.classes());
    for (String wrong : List.of("\"label_dim\":3,\"heads\":4", "\"heads\":0", "\"heads\":100000")) {
      DiffcertException e = assertThrows(DiffcertException.class, () -> NetworkConfig.parse("EDMPrecond",
          "{\"model_type\":\"SongUNet\",\"img_resolution\":8,\"img_channels\":1,\"model_channels\":16," + wrong + "}"));
      assertTrue(e.getMessage().contains("heads"), e.getMessage());
    }
    assertThrows(DiffcertException.class, () -> NetworkConfig.preset("imagenet64-adm-iddpm").withHeads(1000));
    try (Model model = Model.random(config, 1)) {
      assertTrue(model.describe().contains("4, one a class"), model.describe());
    }
  }

  @Test
  void lossesAndTheirPullAgreeWithOneClassAfterTheOther() {
    double[] x = Arrays.stream(normals(SmallModel.VALUES, 1)).map(v -> v / 2).toArray();
    double[] noise = normals(LEVELS.length * SmallModel.VALUES, 2);
    double[] coefficients = {1.5, 0, -0.5};
    try (DiffusionModel heads = open(2);
        DiffusionModel labels = DiffusionModel.open(SmallModel.make(),
            DeviceOptions.on(Device.CPU).withMaxBatch(4).withGradients(Gradients.IMAGE))) {
      for (DiffusionModel model : List.of(heads, labels)) {
        double[] losses = Elbo.losses(model, true, x, LEVELS, WEIGHTS, noise);
        double[][] residuals = Elbo.residuals(model, null, ClassifierKind.DC, true, new Sigma(0.25), x, LEVELS, LEVELS,
            noise);
        Elbo.Gradient each = Elbo.gradient(model, true, x, LEVELS, WEIGHTS, noise, 0, 1, 2);
        Elbo.Pull pull = Elbo.pull(model, true, x, LEVELS, WEIGHTS, noise, coefficients);
        for (int c = 0; c < SmallModel.CLASSES; c++) {
          double sum = 0;
          for (int i = 0; i < LEVELS.length; i++) {
            sum += WEIGHTS[i] * residuals[c][i];
          }
          assertEquals(sum, losses[c]);
          assertEquals(sum, each.loss()[c]);
          assertEquals(model == labels && coefficients[c] == 0 ? Double.NaN : sum, pull.losses()[c]);
        }
        double[] wanted = new double[x.length];
        for (int e = 0; e < x.length; e++) {
          for (int c = 0; c < SmallModel.CLASSES; c++) {
            wanted[e] += coefficients[c] * each.gradient()[c][e];
          }
        }
        assertArrayEquals(wanted, pull.gradient(), 1e-6);
      }
      assertThrows(DiffcertException.class, () -> Elbo.pull(heads, true, x, LEVELS, WEIGHTS, noise, new double[2]));
    }
  }

  @Test
  void aVoteTakesOneRowALevelAndPruningIsRefused() {
    ByteImage image = new ByteImage(new ImageShape(1, 8, 8), bytes());
    try (DiffusionModel model = open(8)) {
      for (ClassifierKind kind : ClassifierKind.values()) {
        ClassifierOptions options = new ClassifierOptions(kind, List.of(new Sigma(0.5)), 6, GridKind.LOG,
            Weighting.EDM, true,
            NoiseMode.INTEGER, 7, 0);
        int levels = 0;
        for (double weight : options.schedules().get(0).weights()) {
          levels += weight > 0 ? 1 : 0;
        }
        boolean estimates = kind != ClassifierKind.DC && kind != ClassifierKind.EPNDC;
        try (DiffusionClassifier classifier = DiffusionClassifier.open(model, null, options)) {
          assertEquals(SmallModel.CLASSES, classifier.classes());
          assertEquals(levels + (estimates ? 1 : 0), classifier.callsPerSample(), kind.cliName());
          int[][] votes = new int[1][4];
          long[] calls = new long[4];
          classifier.votes(image, 0, Phase.ESTIMATE, 0, 4, votes, calls);
          assertEquals(classifier.callsPerSample(), calls[3], kind.cliName());
        }
        ClassifierOptions pruned = new ClassifierOptions(kind, List.of(new Sigma(0.5)), 6, GridKind.LOG, Weighting.EDM,
            true,
            NoiseMode.INTEGER, 7, 0, Pruning.PAIRED);
        DiffcertException e = assertThrows(DiffcertException.class, () -> DiffusionClassifier.open(model, null,
            pruned));
        assertTrue(e.getMessage().contains("multi-head") && e.kind() == DiffcertException.Kind.USAGE, e.getMessage());
      }
    }
  }

  @Test
  void aChainByTimestepsTakesTheHeadOfNoClass() {
    NetworkConfig config = NetworkConfig.parse("VPPrecond", "{\"model_type\":\"SongUNet\",\"img_resolution\":8,"
        + "\"img_channels\":1,\"heads\":4,\"model_channels\":16,\"channel_mult\":[1,2],\"num_blocks\":1,"
        + "\"attn_resolutions\":[4]}");
    float[] x = SmallModel.images(2, 3);
    try (DiffusionModel model = DiffusionModel.open(Model.random(config, 5),
        DeviceOptions.on(Device.CPU).withMaxBatch(2))) {
      DdpmSchedule schedule = DdpmSchedule.linear(config.m());
      double level = schedule.level(400);
      float[] found = new DiffusionDenoiser(model, Matching.LINEAR, false).denoise(x, level).images();
      float[] scaled = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        scaled[i] = (float) (1 / Math.sqrt(1 + level * level) * x[i]);
      }
      float step = (float) schedule.timestep(level);
      float[] output = model.network(scaled, new float[] {step, step}, null);
      int stride = output.length / 2;
      assertEquals((SmallModel.CLASSES + 1) * SmallModel.VALUES, stride);
      for (int i = 0; i < x.length; i++) {
        int at = i / SmallModel.VALUES * stride + SmallModel.CLASSES * SmallModel.VALUES + i % SmallModel.VALUES;
        assertEquals((float) (x[i] - level * output[at]), found[i]);
      }
    }
  }

  private static byte[] bytes() {
    byte[] bytes = new byte[SmallModel.VALUES];
    new Random(3).nextBytes(bytes);
    return bytes;
  }
}
