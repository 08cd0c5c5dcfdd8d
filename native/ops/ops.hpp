// The op table: every operation that a plan may hold, declared once, as plain data.
//
// A plan is a flat list of these ops over numbered buffers; it holds no pointer and no number type. Each device (reference in
// float64, cpu, cuda, cuda under the emulator) runs the same plan in its own number type. Semantics, layouts and the order of
// reductions are written here and in docs/spec/reduction-order.md; what is not fixed here is the device's own business.
//
// Features are NHWC: [height, width, channels] per sample. A reduction's order may depend on the shape of the layer, never on the
// batch, the sample's place in it or the number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace diffcert {

using BufferId = std::int32_t;  // index into Plan::buffers, or kNone
using WeightId = std::int32_t;  // index into Plan::weights, or kNone
inline constexpr std::int32_t kNone = -1;

// A per-sample slice of the arena. The planner gives buffers that are never alive together the same place.
struct Buffer {
  std::int64_t elements = 0;  // per sample
  std::int64_t offset = 0;    // in elements, per sample; a device places sample n at offset * batch + n * elements
  // A feature map between two layers, which a device may keep in bf16; never the network's input or output, statistics or tables.
  bool activation = false;
  // The same place, in float32 elements, for a device that does.
  std::int64_t half_offset = 0;
  std::int64_t half_elements() const { return activation ? (elements + 1) / 2 : elements; }
};

// How a published tensor lies once it is set. qkv: the published row head*(3C/h) + c*3 + j becomes row j*C + head*(C/h) + c, so
// that attention reads [q | k | v].
enum class RowOrder : std::uint8_t { natural, qkv };

struct Weight {
  std::string name;  // key in the model file
  std::vector<std::int64_t> shape;
  RowOrder rows = RowOrder::natural;
  std::int32_t heads = 1;
  bool computed = false;  // a buffer of the network (resample_filter): checked against the expected value, not used by an op
  std::int64_t count() const {
    std::int64_t numbers = 1;
    for (const std::int64_t extent : shape) numbers *= extent;
    return numbers;
  }
};

// A feature map in a buffer; two of them side by side by channel make a concatenation that is never written out.
struct Feature {
  BufferId buffer = kNone;
  std::int32_t height = 0, width = 0, channels = 0;
  bool present() const { return buffer != kNone; }
};

// What is applied to each element as it is loaded: v -> silu(a[c] * v + b[c]), each part optional. Padding zeros come after it.
struct Load {
  BufferId affine = kNone;  // [2 * channels] per sample: a, then b, over the concatenated channels; made by NormOp
  bool silu = false;
};

// emb = concat(cos, sin)(label * freqs), or with the halves swapped. positional: freqs_i = max_positions^(-i / (n/2 - endpoint)),
// fourier: freqs from a weight, times 2 pi.
struct EmbedOp {
  BufferId noise_label;  // [1]
  BufferId out;          // [channels]
  std::int32_t channels = 0;
  bool endpoint = false, swap_halves = false;
  WeightId freqs = kNone;  // fourier
};

// out = act(W in + bias + addend); in may be passed through silu first.
struct LinearOp {
  BufferId in, out;
  std::int32_t in_features = 0, out_features = 0;
  WeightId weight = kNone, bias = kNone;
  BufferId addend = kNone;  // [out_features]
  float in_scale = 1.0f;    // applied to in (SongUNet scales the one-hot label by sqrt(label_dim))
  bool silu = false;        // on the result
  bool transposed = false;  // the weight is [in_features, out_features]: the adjoint of a map from out to in
};

// Per-channel statistics of a feature map: out = mean [C], then M2 = sum of squared deviations [C].
struct StatsOp {
  Feature in;
  BufferId out;
};

// GroupNorm as a per-channel affine: from the statistics of one or two sources (concatenated) to a, b with
// a = gamma * rstd, b = beta - mean * a; adaptive (ADM): a *= 1 + scale, b = b * (1 + scale) + shift.
struct NormOp {
  BufferId stats[2] = {kNone, kNone};       // StatsOp's layout
  std::int32_t channels[2] = {0, 0};
  std::int32_t pixels = 0;
  std::int32_t groups = 0;
  double eps = 0;
  WeightId gamma = kNone, beta = kNone;
  BufferId adaptive = kNone;                // [2 * C]: scale, then shift
  BufferId out = kNone;                     // [2 * C]: a, then b
};

// The unit of the hot path (design decision 6):
//   out = scale * (conv(load(src)) + bias + conv1x1(skip) + skip_bias + shift + residual), and its statistics.
// up2: src is upsampled (nearest, x2) after the load and before the convolution; devices use the sub-pixel form.
// down2: src is 2x2-averaged after the load and before the convolution.
struct ConvOp {
  Feature src[2];
  Load load;
  std::int32_t kernel = 3;   // 1 or 3
  std::int32_t padding = 1;  // zeros around; kernel/2 but for fused resampling, where it is larger
  bool up2 = false, down2 = false;
  bool transposed = false;                // the weight is [Cin, Cout, k, k] and is read flipped: the adjoint of a convolution from out to src
  WeightId weight = kNone, bias = kNone;  // weight [Cout, Cin, k, k]
  Feature skip[2];                        // raw (no load), 1x1, of out's height and width; absent when up2 or down2
  WeightId skip_weight = kNone, skip_bias = kNone;
  BufferId shift = kNone;                 // [Cout] per sample
  Feature residual;                       // the shape of out, or resampled to it: see residual_up2 / residual_down2
  Feature residual_tail;                  // the residual is the concatenation (residual, residual_tail); never with up2 / down2
  bool residual_up2 = false, residual_down2 = false;
  float scale = 1.0f;
  Feature out;
  BufferId stats = kNone;                 // [2 * Cout]: of out, as StatsOp's
};

// Depthwise resampling by the outer product of a symmetric filter: up: zero-insert, convolve with 4f; down: convolve with f, stride 2;
// `padding` zeros around, (len-1)/2 but for fused resampling; always set.
struct ResampleOp {
  Feature in, out;
  Load load;
  bool up = false;
  std::int32_t padding = 0;
  std::vector<float> filter;  // normalised 1-d taps v / sum(v)
  BufferId stats = kNone;
};

// out = softmax(q k^T / sqrt(C / heads)) v per head; in [H*W, 3C] as [q | k | v], out [H*W, C].
struct AttentionOp {
  Feature in, out;
  std::int32_t heads = 1;
};

// out = scale * (a + b), for the auxiliary paths of the residual and skip encoders and decoders.
struct AddOp {
  Feature a, b, out;
  float scale = 1.0f;
  BufferId stats = kNone;
};

// out = load(in), each element set to zero with probability rate / 65536 and else multiplied by 65536 / (65536 - rate): which, is a function of
// the row's chance, the layer and the element's number in [height, width, channels] (ops/dropout.hpp). Of a feature's gradient, without a load, it
// is its own adjoint. Plans for training alone have it; in and out have no common place.
struct DropoutOp {
  Feature in;
  Load load;
  BufferId chance = kNone;  // [kChanceParts]
  Feature out;
  std::int32_t layer = 0;  // number among the plan's
  std::int32_t rate = 0;
};

// ---- The backward direction -------------------------------------------------------------------------------------------
// unet/backward.hpp makes a plan that goes on backwards: adjoints of convolutions, linear maps and resamplings are those ops again,
// transposed; the ops below are the rest. `gradient` is always that of one number, sum(cotangent * output). Those that end in a weight
// add to its gradient: rows ascending, whatever the batches.

// The gradient of what a load gave, on its way back to one source of it. dy = scale * (the adjoint of up2 or down2 of `gradient`),
// dz = dy * silu'(a v + b) with v the source; without a source dz = dy.
struct LoadGradient {
  Feature gradient;        // of all sources, concatenated, and resampled
  std::int32_t first = 0;  // the source's first channel among them
  bool up2 = false, down2 = false;
  float scale = 1.0f;
  Feature source;          // needed by an affine or silu
  Load load;               // its affine is over all channels of gradient
};

// out[first + c] = sum of dz * (v - mean[c]), out[C + first + c] = sum of dz over the source's pixels; C = gradient.channels.
struct LoadSumsOp {
  LoadGradient in;
  BufferId stats = kNone;  // of the source
  BufferId out = kNone;    // [2 * C]; one op a source writes its part
};

// From those sums to what the statistics pass on: v gets slope[c] * v + offset[c] besides a dz.
struct NormBackwardOp {
  NormOp norm;
  BufferId sums = kNone;      // [2 * C]
  BufferId slopes = kNone;    // [2 * C]: slope, then offset
  BufferId adaptive = kNone;  // [2 * C]: the gradient of norm.adaptive
  BufferId affine = kNone;    // [2 * C]: the gradients of gamma, then beta
};

// out [+]= a dz [+ slope v + offset].
struct PullbackOp {
  LoadGradient in;
  BufferId slopes = kNone;
  Feature out;
  bool accumulate = false;
};

// The gradient of q, k and v from that of attention's output.
struct AttentionBackwardOp {
  Feature in;        // [q | k | v]
  Feature gradient;  // of the output
  Feature out;       // of in
  std::int32_t heads = 1;
};

// out = gradient * silu'(in)
struct SiluBackwardOp {
  BufferId in, gradient, out;
  std::int32_t elements = 0;
};

// out[c] = scale * sum over pixels of in[., c].
struct ChannelSumOp {
  Feature in;
  BufferId out;
  float scale = 1.0f;
};

// gradient of weight[o, c, ky, kx] += scale * sum over pixels (y, x) of gradient[y, x, o] * loaded[y + ky - padding, x + kx - padding, c].
struct ConvGradientOp {
  Feature src[2];
  Load load;
  std::int32_t kernel = 3, padding = 1;
  bool up2 = false, down2 = false;
  Feature gradient;
  float scale = 1.0f;
  WeightId weight = kNone;
};

// gradient of weight[o, i] += gradient[o] * in_scale * in[i].
struct LinearGradientOp {
  BufferId in, gradient;
  std::int32_t in_features = 0, out_features = 0;
  float in_scale = 1.0f;
  WeightId weight = kNone;
};

// gradient of weight[i] += in[first + i]: biases, gamma, beta.
struct AccumulateOp {
  BufferId in;
  std::int32_t first = 0, elements = 0;
  WeightId weight = kNone;
};

using Op = std::variant<EmbedOp, LinearOp, StatsOp, NormOp, ConvOp, ResampleOp, AttentionOp, AddOp, DropoutOp, LoadSumsOp, NormBackwardOp,
                        PullbackOp, AttentionBackwardOp, SiluBackwardOp, ChannelSumOp, ConvGradientOp, LinearGradientOp, AccumulateOp>;

// A residual block's ops [from, to) in a plan.
struct Block {
  std::int64_t from = 0, to = 0;
};

// A network, planned. The device fills image [R*R*C] (already scaled by c_in), noise_label [1], label [label_dim] (one-hot or zeros)
// and reads output.
struct Plan {
  std::vector<Op> ops;
  std::vector<Buffer> buffers;
  std::vector<Weight> weights;
  std::int64_t arena_elements = 0, half_arena_elements = 0;  // per sample; the second with activations in bf16
  Feature image, output;
  BufferId noise_label = kNone, label = kNone;
  std::int32_t label_dim = 0;
  std::int32_t heads = 1;  // images side by side in output, one a class and the last for none
  // A plan for training may ask for more of a row: its augmentation label [augment_dim], and what its dropouts are drawn from [kChanceParts].
  BufferId augment = kNone, chance = kNone;
  std::int32_t augment_dim = 0;
  std::vector<Block> blocks;
  // A plan that goes backwards, too: the device fills cotangent before op number forward_ops and reads gradient, the image's, at the end.
  Feature cotangent, gradient;
  std::int64_t forward_ops = 0;
  bool parameters = false;  // it adds up the gradients of its weights
  std::int64_t forward_count() const { return cotangent.present() ? forward_ops : static_cast<std::int64_t>(ops.size()); }
};

}  // namespace diffcert
