package org.diffcert.train;

import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Jobs;
import org.diffcert.denoise.ClassifierGradient;
import org.diffcert.diffusion.Trainer;
import org.diffcert.file.Json;
import org.diffcert.image.ImageShape;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;
import org.diffcert.noise.Sigma;

/**
 * Fine-tuning of a diffusion model as the denoiser of a cascade: consistent where an image can be recovered from the
 * noise, diverse where it cannot (docs/spec/finetune.md). A step is a pure function of the trainer's state, the seed,
 * the images and these settings; threads do not show.
 *
 * @param model what is fine-tuned; the caller's, open while the training is
 * @param classifier what stands behind the denoiser; not changed
 * @param sigmas the cascade's levels, ascending
 * @param copies noisy copies of an image at each level, at least 2 for anything to agree or differ
 * @param consistent weight of the aim that votes agree where the image is recovered, 0 or more
 * @param diverse weight of the aim that wrong votes do not gather where it is not, 0 or more
 * @param anchor weight of the denoising loss at the same levels, 0 or more
 * @param threads how many at most, for noise and classifier
 */
public record Calibration(Model model, ClassifierGradient classifier, List<Sigma> sigmas, int copies,
    double consistent, double diverse, double anchor, int threads) {
  /** The most copies of an image at a level. */
  public static final int MOST_COPIES = 256;

  /**
   * Checks that model and classifier fit, and the weights.
   *
   * @param model what is fine-tuned
   * @param classifier what stands behind the denoiser
   * @param sigmas the cascade's levels, ascending
   * @param copies noisy copies of an image at each level
   * @param consistent weight of the first aim
   * @param diverse weight of the second
   * @param anchor weight of the denoising loss
   * @param threads how many at most
   * @throws DiffcertException of kind USAGE if a number is out of its range, there is nothing to learn, the shapes
   *     differ, or the model's levels are matched by timesteps
   */
  public Calibration {
    sigmas = List.copyOf(sigmas);
    if (copies < 2 || copies > MOST_COPIES) {
      throw DiffcertException.usage("an image has 2 to " + MOST_COPIES + " noisy copies a level, not " + copies);
    }
    for (double weight : new double[] {consistent, diverse, anchor}) {
      if (!(weight >= 0 && weight < 1e6)) {
        throw DiffcertException.usage("the weights of fine-tuning are 0 or more, not " + weight);
      }
    }
    if (consistent + diverse + anchor == 0) {
      throw DiffcertException.usage("all weights are 0, so that there is nothing to learn");
    }
    NetworkConfig config = model.config();
    ImageShape images = new ImageShape(config.imgChannels(), config.imgResolution(), config.imgResolution());
    if (!classifier.shape().equals(images)) {
      throw DiffcertException.usage("the classifier takes images of " + classifier.shape() + ", the diffusion model of "
          + images);
    }
    if (config.precond() == NetworkConfig.Precond.IDDPM || config.multiHead()) {
      throw DiffcertException.usage("fine-tuning is for models of one head that take any noise level; this one "
          + "does not");
    }
  }

  /** Adds what identifies it to the header of a training. */
  void describe(Json header) {
    header.put("objective", "calibrate").put("model", model.digest()).put("classifier", classifier.digest())
        .put("sigmas", sigmas.stream().map(Sigma::unit).toList()).put("copies", copies).put("consistent", consistent)
        .put("diverse", diverse).put("anchor", anchor);
  }

  /** The training begins with the model's weights. */
  void begin(Trainer trainer) {
    trainer.restore(Trainer.Part.WEIGHT, model.tensors());
    trainer.restore(Trainer.Part.AVERAGE, model.tensors());
  }

  /**
   * One step.
   *
   * @param trainer what learns
   * @param seed key of the noise
   * @param images [n] images in EDM space
   * @param labels their classes
   * @return the loss before the step
   */
  double step(Trainer trainer, long seed, float[] images, int[] labels) {
    int each = sigmas.size() * copies;
    int elements = images.length / labels.length;
    int rows = labels.length * each;
    long first = trainer.imagesSeen();
    float[] x = new float[Math.multiplyExact(rows, elements)];
    double[] levels = new double[rows];
    Jobs.run(threads, rows, row -> {
      int stage = row % each / copies;
      levels[row] = sigmas.get(stage).edm();
      noised(x, row, elements, images, key(seed, first + row / each), stage * MOST_COPIES + row % copies, levels[row]);
    });
    float[] denoised = trainer.denoise(x, levels);
    float[] cotangent = new float[x.length];
    double[] losses = new double[labels.length];
    Jobs.run(threads, labels.length, i -> losses[i] = image(i, labels, images, denoised, cotangent));
    trainer.step(labels.length, x, levels, cotangent);
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return sum / labels.length;
  }

  private static NoiseKey key(long seed, long image) {
    return new NoiseKey(seed, (int) (image & Integer.MAX_VALUE), Phase.SELECT, (int) (image >>> 31));
  }

  private void noised(float[] x, int row, int elements, float[] images, NoiseKey key, int index, double level) {
    double[] noise = key.normals(NoiseStream.TRAINING, index, elements);
    int image = row / (sigmas.size() * copies) * elements;
    for (int e = 0; e < elements; e++) {
      x[row * elements + e] = (float) (images[image + e] + level * noise[e]);
    }
  }

  /** One image's loss; writes the gradient by its denoised rows. */
  private double image(int i, int[] labels, float[] images, float[] denoised, float[] cotangent) {
    int elements = images.length / labels.length;
    CalibrationLoss answers = new CalibrationLoss(consistent, diverse);
    double all = sigmas.stream().mapToDouble(Sigma::unit).sum();
    double loss = 0;
    for (int stage = 0; stage < sigmas.size(); stage++) {
      int from = (i * sigmas.size() + stage) * copies;
      float[] shown = new float[copies * elements];
      for (int e = 0; e < shown.length; e++) {
        shown[e] = Math.max(-1, Math.min(1, denoised[from * elements + e]));
      }
      ClassifierGradient.Pass[] passes = new ClassifierGradient.Pass[copies];
      double[][] logits = new double[copies][];
      for (int m = 0; m < copies; m++) {
        passes[m] = classifier.forward(shown, m);
        logits[m] = passes[m].logits();
      }
      double[][] gradient = new double[copies][classifier.classes()];
      loss += answers.add(logits, labels[i], sigmas.get(stage).unit() / all, gradient);
      double s = sigmas.get(stage).edm();
      double data = model.config().sigmaData();
      double pull = anchor * (s * s + data * data) / (s * data * s * data) / elements / copies / sigmas.size();
      for (int m = 0; m < copies; m++) {
        double[] back = passes[m].back(gradient[m]);
        for (int e = 0; e < elements; e++) {
          float d = denoised[(from + m) * elements + e];
          double off = (double) d - images[i * elements + e];
          loss += pull * off * off;
          // Where clamping cuts, the classifier does not see a change.
          double seen = d >= -1 && d <= 1 ? back[e] : 0;
          cotangent[(from + m) * elements + e] = (float) ((seen + 2 * pull * off) / labels.length);
        }
      }
    }
    return loss;
  }
}
