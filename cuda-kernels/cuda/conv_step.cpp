// Launcher of the fused convolution in float32.
#include "cuda/step.hpp"

namespace diffcert::cuda {
namespace {

// [out][in][taps] as [taps][in][out].
std::vector<float> outputs_last(const std::vector<float>& weight, std::int64_t out, std::int64_t in, std::int64_t taps) {
  std::vector<float> moved(weight.size());
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        moved[static_cast<std::size_t>((t * in + c) * out + o)] = weight[static_cast<std::size_t>((o * in + c) * taps + t)];
      }
    }
  }
  return moved;
}

}  // namespace

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

  const std::int32_t channels = shape.src_channels[0] + shape.src_channels[1], skips = shape.skip_channels[0] + shape.skip_channels[1];
  shape.weight = builder.keep(outputs_last(builder.weight(op.weight), op.out.channels, channels, op.kernel * op.kernel));
  if (skips > 0) shape.skip_weight = builder.keep(outputs_last(builder.weight(op.skip_weight), op.out.channels, skips, 1));
  std::vector<float> bias(static_cast<std::size_t>(op.out.channels), 0.0f);
  for (const WeightId id : {op.bias, op.skip_bias}) {
    for (std::size_t o = 0; id != kNone && o < bias.size(); ++o) bias[o] += builder.weight(id)[o];
  }
  shape.bias = builder.keep(bias);

  return [op, shape](const Frame& frame) {
    ConvParams params = shape;
    for (int i = 0; i < 2; ++i) {
      params.src[i] = frame.in(op.src[i]);
      params.skip[i] = frame.in(op.skip[i]);
    }
    params.affine = frame.in(op.load.affine);
    params.shift = frame.in(op.shift);
    params.residual[0] = frame.in(op.residual);
    params.residual[1] = frame.in(op.residual_tail);
    params.out = frame.at(op.out.buffer);
    frame.device.launch<Kernel::conv>({blocks(std::int64_t{1} * op.out.height * op.out.width, kConvPixels), blocks(op.out.channels, kConvOutputs),
                                       static_cast<std::uint32_t>(frame.samples)},
                                      kConvThreads, kConvShared, params);
    launch_statistics(frame, op.out, op.stats);
  };
}

}  // namespace diffcert::cuda
