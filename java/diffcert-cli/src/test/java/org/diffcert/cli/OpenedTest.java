package org.diffcert.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.diffcert.certify.VoteSource;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DeviceOptions;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.image.ByteImage;
import org.diffcert.image.ImageShape;
import org.diffcert.model.Model;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;
import org.diffcert.run.Origin;
import org.junit.jupiter.api.Test;

/** What a command has opened is closed as a whole. */
class OpenedTest {
  /** Votes that nobody asks for and that cannot be closed. */
  private record Stuck(ImageShape shape) implements VoteSource {
    @Override
    public int classes() {
      return 10;
    }

    @Override
    public List<Sigma> sigmas() {
      return List.of(new Sigma(0.5));
    }

    @Override
    public Map<String, Object> identity() {
      return Map.of();
    }

    @Override
    public long callsPerSample() {
      return 1;
    }

    @Override
    public void votes(ByteImage image, int imageId, Phase phase, int from, int to, int[][] votes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
      throw new IllegalArgumentException("stuck");
    }
  }

  @Test
  void networksAreClosedThoughTheVotesAreStuck() {
    List<DiffusionModel> models = List.of(open(), open());
    ClassifierArguments.Opened opened = new ClassifierArguments.Opened(new Stuck(new ImageShape(1, 28, 28)), models,
        "cpu", "", Origin.here("", "", "", "", ""));
    assertEquals("stuck", assertThrows(IllegalArgumentException.class, opened::close).getMessage());
    for (DiffusionModel model : models) {
      assertThrows(IllegalStateException.class, model::memory, "the network is open");
    }
  }

  private static DiffusionModel open() {
    try (Model file = Model.open(Path.of(Cli.MODEL))) {
      return DiffusionModel.open(file, DeviceOptions.on(Device.CPU));
    }
  }
}
