// Launchers of the fused convolution: in float32, or on tensor cores where features are bf16 and the layer is wide enough; there by warps, or by
// warpgroups on Hopper. The choice is the shape's and the architecture's alone.
#include "cuda/step.hpp"

namespace diffcert::cuda {
namespace {

// The operands of the batch that is run.
ConvParams placed(const ConvOp& op, const ConvParams& shape, const Frame& frame) {
  ConvParams params = shape;
  for (int i = 0; i < 2; ++i) {
    params.src[i] = frame.feature(op.src[i]);
    params.skip[i] = frame.feature(op.skip[i]);
  }
  params.affine = frame.in(op.load.affine);
  params.shift = frame.in(op.shift);
  params.residual[0] = frame.feature(op.residual);
  params.residual[1] = frame.feature(op.residual_tail);
  params.out = frame.feature(op.out);
  return params;
}

// In float32, whatever the features are kept in.
Step plain_step(const ConvOp& op, ConvParams shape, Builder& builder) {
  const std::int32_t channels = shape.src_channels[0] + shape.src_channels[1], skips = shape.skip_channels[0] + shape.skip_channels[1];
  shape.weight = builder.packs().outputs_last(op.weight, op.out.channels, channels, op.kernel * op.kernel, op.transposed);
  if (skips > 0) shape.skip_weight = builder.packs().outputs_last(op.skip_weight, op.out.channels, skips, 1, false);
  return [op, shape](const Frame& frame) {
    frame.device.launch<Kernel::conv>({blocks(std::int64_t{1} * op.out.height * op.out.width, kConvPixels), blocks(op.out.channels, kConvOutputs),
                                       static_cast<std::uint32_t>(frame.samples)},
                                      kConvThreads, kConvShared, placed(op, shape, frame));
    launch_statistics(frame, op.out, op.stats);
  };
}

// What a convolution that halves its input sees, as a launch of its own: normed, activated, averaged. Makes of `shape` a plain convolution of that.
struct Halving {
  bool there;
  Span<const float> factors;
  std::int64_t numbers;  // of a sample's scratch memory

  Halving(const ConvOp& op, ConvParams& shape, Builder& builder)
      : there(op.down2), factors(there ? builder.keep(std::vector<float>(4, 0.25f)) : Span<const float>{}),
        numbers(there ? (elements(op.src[0]) / 4 + 1) / 2 : 0) {
    if (!there) return;
    shape.height /= 2, shape.width /= 2;
    shape.down2 = shape.silu = false;
  }
  void launch(const ConvOp& op, const Frame& frame, float* to, ConvParams& params) const {
    const std::int64_t pixels = std::int64_t{1} * params.height * params.width;
    const FeatureSpan halved{to, pixels * op.src[0].channels * frame.samples, true};
    const ResampleParams half{params.src[0], params.affine, factors, halved, op.src[0].height, op.src[0].width, params.height, params.width,
                              op.src[0].channels, 2, 0, false, op.load.silu};
    frame.device.launch<Kernel::resample>({blocks(pixels * (op.src[0].channels / 8), kElementThreads), static_cast<std::uint32_t>(frame.samples)},
                                          kElementThreads, 0, half);
    params.src[0] = halved;
    params.affine = {};
  }
};

// The kernel for the layer's channels.
void launch_tensor(const Frame& frame, std::uint32_t tiles, std::int32_t phases, const TensorConvParams& params) {
  const int outputs = tensor_outputs(params.conv.out_channels);
  const Grid grid{tiles, blocks(params.conv.out_channels, outputs) * static_cast<std::uint32_t>(phases), blocks(frame.samples, params.images)};
  const auto run = [&]<Kernel kernel>() {
    frame.device.launch<kernel>(grid, static_cast<std::uint32_t>(tensor_threads(outputs)), tensor_shared(outputs), params);
  };
  if (outputs == 64) run.template operator()<Kernel::tensor_conv_64>();
  else if (outputs == 128) run.template operator()<Kernel::tensor_conv_128>();
  else run.template operator()<Kernel::tensor_conv_192>();
}

// Puts together what the tiles of a convolution left of statistics.
template <class Params>
void launch_combine(const ConvOp& op, const Frame& frame, const Params& params, std::int32_t tile_height, std::int32_t tile_width) {
  frame.device.launch<Kernel::combine>({blocks(op.out.channels, kCombineThreads), static_cast<std::uint32_t>(frame.samples)}, kCombineThreads, 0,
                                       {{params.partials.data, params.partials.count}, frame.at(op.stats), op.out.channels, params.height, params.width,
                                        tile_height, tile_width, op.up2 ? 4 : 1});
}

// What both forms on tensor cores are told of a layer. Doubling makes four phases of a smaller kernel over the map before it.
template <class Params>
Params tiled(const ConvOp& op, const ConvParams& shape) {
  Params params{};
  params.conv = shape;
  params.side = op.up2 ? (op.kernel + 1) / 2 : op.kernel;
  params.height = op.up2 ? shape.height : shape.out_height;
  params.width = op.up2 ? shape.width : shape.out_width;
  return params;
}

// On tensor cores; its tiles leave their statistics in the scratch memory, and a small kernel puts them together.
Step tensor_step(const ConvOp& op, ConvParams shape, Builder& builder) {
  const Halving halving(op, shape, builder);
  auto tensor = tiled<TensorConvParams>(op, shape);
  tensor.weight = builder.packs().tensor(op, tensor.side);
  tensor.steps = tensor_steps(shape.src_channels[0] + shape.src_channels[1]);
  tensor.skip_steps = tensor_steps(shape.skip_channels[0] + shape.skip_channels[1]);
  tensor.images = tensor.height <= kTensorRows / 2 ? 2 : 1;
  const std::int32_t phases = op.up2 ? 4 : 1, rows = kTensorRows / tensor.images;
  const std::uint32_t tiles = blocks(tensor.height, rows) * blocks(tensor.width, kTensorColumns);
  const std::int64_t partials = op.stats != kNone ? std::int64_t{2} * phases * tiles * op.out.channels : 0;
  builder.scratch(partials + halving.numbers);
  return [=](const Frame& frame) {
    TensorConvParams params = tensor;
    params.conv = placed(op, tensor.conv, frame);
    params.samples = static_cast<std::int32_t>(frame.samples);
    if (halving.there) halving.launch(op, frame, frame.scratch + partials * frame.samples, params.conv);
    if (partials > 0) params.partials = {frame.scratch, partials * frame.samples};
    launch_tensor(frame, tiles, phases, params);
    if (partials > 0) launch_combine(op, frame, params, rows, kTensorColumns);
  };
}

void launch_group(const Frame& frame, std::uint32_t tiles, std::int32_t phases, const GroupConvParams& params) {
  const int outputs = group_outputs(params.conv.out_channels);
  const Grid grid{tiles, static_cast<std::uint32_t>(group_bands(params.conv.out_channels, outputs) * phases)};
  const auto run = [&]<Kernel kernel>() { frame.device.launch<kernel>(grid, kGroupThreads, group_shared(outputs), params); };
  if (outputs == 64) run.template operator()<Kernel::group_conv_64>();
  else if (outputs == 96) run.template operator()<Kernel::group_conv_96>();
  else run.template operator()<Kernel::group_conv_128>();
}

// The same by warpgroups.
Step group_step(const ConvOp& op, ConvParams shape, Builder& builder) {
  const Halving halving(op, shape, builder);
  auto group = tiled<GroupConvParams>(op, shape);
  group.weight = builder.packs().group(op, group.side);
  group.steps = group_steps(shape.src_channels[0] + shape.src_channels[1]);
  group.skip_steps = group_steps(shape.skip_channels[0] + shape.skip_channels[1]);
  const std::int64_t down = blocks(group.height, kGroupPatch), across = blocks(group.width, kGroupPatch);
  group.square = down % 2 == 0 && across % 2 == 0;
  const std::int32_t phases = op.up2 ? 4 : 1;
  const std::int64_t partials = op.stats != kNone ? 2 * phases * down * across * op.out.channels : 0;
  builder.scratch(partials + halving.numbers);
  return [=](const Frame& frame) {
    GroupConvParams params = group;
    params.conv = placed(op, group.conv, frame);
    params.samples = static_cast<std::int32_t>(frame.samples);
    if (halving.there) halving.launch(op, frame, frame.scratch + partials * frame.samples, params.conv);
    if (partials > 0) params.partials = {frame.scratch, partials * frame.samples};
    launch_group(frame, blocks(frame.samples * down * across, kGroupPatches), phases, params);
    if (partials > 0) launch_combine(op, frame, params, kGroupPatch, kGroupPatch);
  };
}

}  // namespace

// Tensor cores take bf16, eight channels at a time, and doubling without a shift of its own; narrow layers (the first and the last) would
// multiply zeros for the most part; and the halo of either form has room for no more than 3 x 3 taps.
bool on_tensor_cores(const ConvOp& op, const Builder& builder) {
  const Feature features[] = {op.src[0], op.src[1], op.skip[0], op.skip[1], op.residual, op.residual_tail, op.out};
  for (const Feature& f : features) {
    if (!builder.half(f) || f.channels % 8 != 0) return false;
  }
  return op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0) >= kTensorDepth / 2 && op.out.channels >= 16 &&
         op.kernel <= 3 && (!op.up2 || op.padding == op.kernel / 2) && (!op.down2 || !op.src[1].present());
}

// Hopper's products want at least half of a step's channels; other layers take the form before it.
bool on_warpgroups(const ConvOp& op, const Builder& builder) {
  return on_tensor_cores(op, builder) && op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0) >= kGroupDepth / 2;
}

Step make_step(const ConvOp& op, Builder& builder) {
  ConvParams shape{};
  for (int i = 0; i < 2; ++i) {
    shape.src_channels[i] = op.src[i].present() ? op.src[i].channels : 0;
    shape.skip_channels[i] = op.skip[i].present() ? op.skip[i].channels : 0;
  }
  shape.residual_channels[0] = op.residual.present() ? op.residual.channels : 0;
  shape.residual_channels[1] = op.residual_tail.present() ? op.residual_tail.channels : 0;
  shape.height = op.src[0].height, shape.width = op.src[0].width;
  shape.out_height = op.out.height, shape.out_width = op.out.width, shape.out_channels = op.out.channels;
  shape.residual_height = op.residual.height, shape.residual_width = op.residual.width;
  shape.kernel = op.kernel, shape.padding = op.padding;
  shape.scale = op.scale;
  shape.silu = op.load.silu, shape.up2 = op.up2, shape.down2 = op.down2;
  shape.residual_up2 = op.residual_up2, shape.residual_down2 = op.residual_down2;

  shape.bias = builder.packs().sum(op.bias, op.skip_bias);
  if (shape.bias.data == nullptr) shape.bias = builder.keep(std::vector<float>(static_cast<std::size_t>(op.out.channels), 0.0f));

  if (!on_tensor_cores(op, builder)) return plain_step(op, shape, builder);
  return builder.compute() == 90 && on_warpgroups(op, builder) ? group_step(op, shape, builder) : tensor_step(op, shape, builder);
}

}  // namespace diffcert::cuda
