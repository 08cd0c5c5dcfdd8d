package org.diffcert.train;

import java.util.HashMap;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.Trainer;
import org.diffcert.file.Tensor;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/**
 * The training of a multi-head network by a class-conditional one: each image teaches some heads what the teacher makes
 * of it (docs/spec/training.md; Chen et al. 2023 have such a network).
 *
 * @param file the teacher's weights; the caller's, open while the training is
 * @param teacher the teacher on a device; the caller's, open while the training is
 * @param headsPerImage heads that an image teaches: its own and others, 1 to all
 * @param fromTeacher whether the student begins with the teacher's weights; else with drawn ones
 */
public record Distillation(Model file, DiffusionModel teacher, int headsPerImage, boolean fromTeacher) {
  /**
   * Checks the number of heads.
   *
   * @param file the teacher's weights
   * @param teacher the teacher on a device
   * @param headsPerImage heads that an image teaches
   * @param fromTeacher whether the student begins with the teacher's weights
   * @throws DiffcertException of kind USAGE if the teacher has no classes, or not so many heads
   */
  public Distillation {
    int classes = teacher.config().classes();
    if (classes < 2) {
      throw DiffcertException.usage("a teacher must know at least two classes, this one knows " + classes);
    }
    if (headsPerImage < 1 || headsPerImage > classes + 1) {
      throw DiffcertException.usage("an image teaches 1 to " + (classes + 1) + " heads, not " + headsPerImage);
    }
  }

  /**
   * Whether a student can begin with a teacher's weights: it is the teacher's network with heads instead of a label.
   *
   * @param teacher the teacher
   * @param student the student
   * @return whether all but the last convolution agree
   */
  public static boolean agree(NetworkConfig teacher, NetworkConfig student) {
    return !teacher.multiHead() && teacher.precond() != NetworkConfig.Precond.IDDPM && student.multiHead()
        && teacher.withHeads(teacher.classes()).canonical().equals(student.canonical());
  }

  /** Sets the weights that the student begins with: every head is the teacher without a label. */
  void begin(Trainer trainer) {
    if (!fromTeacher) {
      return;
    }
    if (!agree(teacher.config(), trainer.config())) {
      throw DiffcertException.usage("the network is not the teacher's with heads instead of its label, so that it "
          + "cannot begin with the teacher's weights; let it begin with drawn ones");
    }
    Map<String, Tensor> weights = new HashMap<>();
    for (Tensor tensor : trainer.state(Trainer.Part.WEIGHT)) {
      weights.put(tensor.name(), Tensor.of(tensor.name(), tensor.shape(), first(tensor, trainer.config().heads())));
    }
    trainer.restore(Trainer.Part.WEIGHT, weights);
    trainer.restore(Trainer.Part.AVERAGE, weights);
  }

  /** A tensor of the student's: the teacher's, once a head where it is a part of the last convolutions. */
  private float[] first(Tensor tensor, int heads) {
    float[] own = taught(tensor.name()).floats();
    boolean last = tensor.name().contains("aux_conv.") || tensor.name().contains("out_conv.");
    if (last) {
      float[] repeated = new float[own.length * heads];
      for (int head = 0; head < heads; head++) {
        System.arraycopy(own, 0, repeated, head * own.length, own.length);
      }
      return repeated;
    }
    String bias = "model.map_layer0.bias";
    return tensor.name().equals(bias) && file.tensors().containsKey("model.map_label.bias") ? folded(own) : own;
  }

  /** Without a label SongUNet's label layer still adds its bias to what map_layer0 reads. */
  private float[] folded(float[] bias) {
    float[] added = taught("model.map_label.bias").floats();
    float[] matrix = taught("model.map_layer0.weight").floats();
    float[] folded = new float[bias.length];
    for (int row = 0; row < bias.length; row++) {
      double sum = bias[row];
      for (int i = 0; i < added.length; i++) {
        sum += (double) matrix[row * added.length + i] * added[i];
      }
      folded[row] = (float) sum;
    }
    return folded;
  }

  private Tensor taught(String name) {
    return file.tensors().get(name);
  }
}
