// Launchers of the gradients of weights.
#include "cuda/step.hpp"

namespace diffcert::cuda {
namespace {

// Fewer blocks than that leave multiprocessors of a large GPU without work: then rows are shared out, too. It does not show.
constexpr std::int64_t kManyBlocks = 128;

void launch_accumulate(const Frame& frame, Span<const float> in, std::int64_t row, std::int64_t first, Span<float> sums) {
  frame.device.launch<Kernel::accumulate>({blocks(sums.count, kSumThreads)}, kSumThreads, 0, {in, sums, row, first, static_cast<std::int32_t>(frame.samples)});
}

// The map that the convolution saw, into `map`.
void launch_loaded(const ConvGradientOp& op, const Frame& frame, const FeatureSpan& map, std::int32_t height, std::int32_t width) {
  ConvParams load{};
  for (int i = 0; i < 2; ++i) {
    load.src[i] = frame.feature(op.src[i]);
    load.src_channels[i] = op.src[i].present() ? op.src[i].channels : 0;
  }
  load.affine = frame.in(op.load.affine);
  load.height = op.src[0].height, load.width = op.src[0].width;
  load.silu = op.load.silu, load.up2 = op.up2, load.down2 = op.down2;
  frame.device.launch<Kernel::loaded>({blocks(map.count / frame.samples, kLoadedThreads), static_cast<std::uint32_t>(frame.samples)}, kLoadedThreads, 0,
                                      {load, map, height, width});
}

}  // namespace

Step make_step(const ConvGradientOp& op, Builder& builder) {
  const std::int32_t channels = op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0), outputs = op.gradient.channels;
  const std::int32_t height = op.up2 ? op.src[0].height * 2 : op.down2 ? op.src[0].height / 2 : op.src[0].height;
  const std::int32_t width = op.up2 ? op.src[0].width * 2 : op.down2 ? op.src[0].width / 2 : op.src[0].width;
  const std::int64_t taps = std::int64_t{1} * op.kernel * op.kernel, count = taps * channels * outputs;
  const std::int64_t first = builder.learn(op.weight, outputs, channels, taps, op.scale);
  // Tensor cores take what is bf16 on both sides, eight channels at a time, where they would not multiply zeros for the most part.
  const bool tensor = builder.half(op.src[0]) && builder.half(op.src[1]) && builder.half(op.gradient) && channels % 8 == 0 && outputs % 8 == 0 &&
                      channels >= 16 && outputs >= 16;
  const bool raw = op.load.affine == kNone && !op.load.silu && !op.up2 && !op.down2 && !op.src[1].present();
  const Grid tiles{blocks(taps * channels, tensor ? kTensorLearnInputs : kLearnInputs), blocks(outputs, tensor ? kTensorLearnOutputs : kLearnOutputs)};
  const std::int64_t shares = std::int64_t{1} * tiles.x * tiles.y < kManyBlocks ? (count + 3) / 4 * 4 : 0;  // of a row
  const std::int64_t seen = std::int64_t{1} * height * width * channels;  // numbers of a row's map
  builder.scratch(shares + (raw ? 0 : tensor ? (seen + 1) / 2 : seen));
  return [=](const Frame& frame) {
    FeatureSpan map = frame.feature(op.src[0]);
    if (!raw) {
      map = {frame.scratch + shares * frame.samples, seen * frame.samples, tensor};
      launch_loaded(op, frame, map, height, width);
    }
    const Span<float> sums{frame.learnt + first, count};
    const Span<float> partials = shares > 0 ? Span<float>{frame.scratch, count * frame.samples} : Span<float>{};
    const ConvGradientParams params{map, frame.feature(op.gradient), sums, partials, static_cast<std::int32_t>(frame.samples), height, width,
                                    op.gradient.height, op.gradient.width, channels, outputs, op.kernel, op.padding};
    const Grid grid{tiles.x, tiles.y, shares > 0 ? static_cast<std::uint32_t>(frame.samples) : 1};
    if (tensor) frame.device.launch<Kernel::tensor_conv_gradient>(grid, kTensorLearnThreads, kTensorLearnShared, params);
    else frame.device.launch<Kernel::conv_gradient>(grid, kLearnThreads, kLearnShared, params);
    if (shares > 0) launch_accumulate(frame, {partials.data, partials.count}, count, 0, sums);
  };
}

Step make_step(const LinearGradientOp& op, Builder& builder) {
  const std::int64_t count = std::int64_t{1} * op.in_features * op.out_features, first = builder.learn(op.weight, count);
  return [=](const Frame& frame) {
    frame.device.launch<Kernel::linear_gradient>({blocks(count, kSumThreads)}, kSumThreads, 0,
                                                 {frame.in(op.in), frame.in(op.gradient), {frame.learnt + first, count},
                                                  static_cast<std::int32_t>(frame.samples), op.in_features, op.out_features, op.in_scale});
  };
}

Step make_step(const AccumulateOp& op, Builder& builder) {
  const std::int64_t first = builder.learn(op.weight, op.elements);
  return [=](const Frame& frame) {
    const Span<const float> in = frame.in(op.in);
    launch_accumulate(frame, in, in.count / frame.samples, op.first, {frame.learnt + first, op.elements});
  };
}

}  // namespace diffcert::cuda
