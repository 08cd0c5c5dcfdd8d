package org.diffcert.bench;

import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.diffcert.model.Model;
import org.diffcert.model.NetworkConfig;

/**
 * The DDPM++ network (SongUNet with positional embedding, standard encoder and decoder) on libtorch's CPU operators,
 * built from a {@link Model}: the peer that this library's speed is measured against, and a second opinion on its
 * numbers. Resampling by [1,1] is written as average pooling and nearest-neighbour enlarging, which are the same
 * function and faster in libtorch.
 */
final class TorchNetwork implements Peer {
  private static final double EPS = 1e-6;
  private static final double ROOT_HALF = Math.sqrt(0.5);

  private final NetworkConfig config;
  private final boolean channelsLast;
  private final Map<String, Tensor> weights = new HashMap<>();
  private final Map<String, TensorOptional> optional = new HashMap<>();

  TorchNetwork(Model model, boolean channelsLast) {
    this.config = model.config();
    this.channelsLast = channelsLast;
    EmbeddingInputs.requireDdpmpp(config);
    for (org.diffcert.file.Tensor tensor : model.tensors().values()) {
      long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
      Tensor weight = layout(Tensor.create(tensor.floats(), shape));
      weights.put(tensor.name(), weight);
      optional.put(tensor.name(), new TensorOptional(weight));
    }
  }

  private Tensor layout(Tensor tensor) {
    return channelsLast && tensor.dim() == 4 ? tensor.contiguous(torch.MemoryFormat.ChannelsLast) : tensor;
  }

  @Override
  public String name() {
    return channelsLast ? "libtorch, channels last" : "libtorch";
  }

  @Override
  public float[] network(float[] x, float[] noiseLabel, int[] labels) {
    int n = noiseLabel.length;
    int side = config.imgResolution();
    try (InferenceMode mode = new InferenceMode(true); PointerScope scope = new PointerScope()) {
      Tensor emb = embedding(noiseLabel, labels);
      Tensor output = unet(layout(Tensor.create(x, n, config.imgChannels(), side, side)), emb);
      FloatBuffer buffer = output.contiguous().createBuffer();
      float[] values = new float[x.length];
      buffer.get(values);
      return values;
    }
  }

  private Tensor embedding(float[] noiseLabel, int[] labels) {
    int n = noiseLabel.length;
    Tensor emb = Tensor.create(EmbeddingInputs.waves(config, noiseLabel), n, EmbeddingInputs.width(config));
    if (config.labelDim() > 0) {
      Tensor hot = Tensor.create(EmbeddingInputs.hot(config, labels), n, config.labelDim());
      emb = emb.add(linear("model.map_label", hot));
    }
    return torch.silu(linear("model.map_layer1", torch.silu(linear("model.map_layer0", emb))));
  }

  private Tensor unet(Tensor image, Tensor emb) {
    Deque<Tensor> skips = new ArrayDeque<>();
    Tensor x = image;
    int last = config.channelMult().size() - 1;
    for (int level = 0; level <= last; level++) {
      String at = "model.enc." + side(level);
      x = level == 0 ? conv(at + "conv", x) : block(at + "down", half(norm(at + "down.norm0", x)), half(x), emb);
      skips.push(x);
      for (int i = 0; i < config.numBlocks(); i++) {
        x = block(at + "block" + i, x, emb);
        skips.push(x);
      }
    }
    for (int level = last; level >= 0; level--) {
      String at = "model.dec." + side(level);
      if (level == last) {
        x = block(at + "in1", block(at + "in0", x, emb), emb);
      } else {
        x = block(at + "up", twice(norm(at + "up.norm0", x)), twice(x), emb);
      }
      for (int i = 0; i <= config.numBlocks(); i++) {
        x = block(at + "block" + i, torch.cat(new TensorVector(x, skips.pop()), 1), emb);
      }
    }
    String out = "model.dec." + side(0) + "aux_";
    return conv(out + "conv", norm(out + "norm", x));
  }

  private String side(int level) {
    int res = config.imgResolution() >> level;
    return res + "x" + res + "_";
  }

  private static Tensor half(Tensor x) {
    return torch.avg_pool2d(x, 2, 2);
  }

  private static Tensor twice(Tensor x) {
    return torch.upsample_nearest2d(x, new long[] {2 * x.size(2), 2 * x.size(3)}, new DoubleOptional(),
        new DoubleOptional());
  }

  private Tensor block(String name, Tensor x, Tensor emb) {
    return block(name, norm(name + ".norm0", x), x, emb);
  }

  /* normed: silu(norm0(x)), resampled where the block resamples; x: the skip's source, resampled alike. */
  private Tensor block(String name, Tensor normed, Tensor x, Tensor emb) {
    Tensor shift = linear(name + ".affine", emb).unsqueeze(2).unsqueeze(3);
    Tensor h = conv(name + ".conv1", norm(name + ".norm1", conv(name + ".conv0", normed).add_(shift)));
    Tensor skip = weights.containsKey(name + ".skip.weight") ? conv(name + ".skip", x) : x;
    h = h.add_(skip).mul_(new Scalar(ROOT_HALF));
    return weights.containsKey(name + ".qkv.weight") ? attention(name, h) : h;
  }

  private Tensor attention(String name, Tensor x) {
    long n = x.size(0);
    long c = x.size(1);
    long places = x.size(2) * x.size(3);
    Tensor qkv = conv(name + ".qkv", groupNorm(name + ".norm2", x)).contiguous().reshape(n, c, 3, places);
    Tensor q = qkv.select(2, 0).transpose(1, 2).mul(new Scalar(1 / Math.sqrt(c)));
    Tensor w = torch.softmax(torch.bmm(q, qkv.select(2, 1)), 2);
    Tensor a = torch.bmm(qkv.select(2, 2), w.transpose(1, 2)).reshape(n, c, x.size(2), x.size(3));
    return conv(name + ".proj", layout(a)).add_(x).mul_(new Scalar(ROOT_HALF));
  }

  private Tensor norm(String name, Tensor x) {
    return torch.silu(groupNorm(name, x));
  }

  private Tensor groupNorm(String name, Tensor x) {
    long groups = Math.min(32, x.size(1) / 4);
    return torch.group_norm(x, groups, optional.get(name + ".weight"), optional.get(name + ".bias"), EPS, false);
  }

  private Tensor conv(String name, Tensor x) {
    Tensor weight = weights.get(name + ".weight");
    return conv(x, weight, optional.get(name + ".bias"));
  }

  /* A convolution with stride 1 and the padding that keeps the size. */
  static Tensor conv(Tensor x, Tensor weight, TensorOptional bias) {
    long pad = weight.size(2) / 2;
    return torch.conv2d(x, weight, bias, new long[] {1, 1}, new long[] {pad, pad}, new long[] {1, 1}, 1);
  }

  private Tensor linear(String name, Tensor x) {
    TensorOptional bias = optional.get(name + ".bias");
    return torch.linear(x, weights.get(name + ".weight"), bias == null ? new TensorOptional() : bias);
  }
}
