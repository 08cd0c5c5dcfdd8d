// Launchers of the fused convolution: in float32, or on tensor cores where the layer is wide enough for them. The choice is the shape's alone.
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

// Narrow layers (the first and the last) would multiply zeros for the most part.
bool worth_tensor_cores(std::int32_t channels, std::int32_t outputs) { return channels >= kTensorDepth / 2 && outputs >= 16; }

// The order of TensorConvParams::weight.
std::vector<Bf16> packed(const ConvOp& op, const ConvParams& shape, const Builder& builder) {
  const std::int32_t channels = shape.src_channels[0] + shape.src_channels[1], skips = shape.skip_channels[0] + shape.skip_channels[1];
  const std::int64_t taps = std::int64_t{1} * op.kernel * op.kernel, width = tensor_width(op.out.channels);
  std::vector<Bf16> out(static_cast<std::size_t>((tensor_steps(channels) * taps + tensor_steps(skips)) * kTensorDepth * width), Bf16{0});
  std::int64_t unit = 0;
  const auto fill = [&](const std::vector<float>& weight, std::int64_t in, std::int64_t count) {
    for (std::int64_t step = 0; step < tensor_steps(static_cast<std::int32_t>(in)); ++step) {
      for (std::int64_t tap = 0; tap < count; ++tap, ++unit) {
        for (std::int64_t k = 0; k < kTensorDepth && step * kTensorDepth + k < in; ++k) {
          for (std::int64_t o = 0; o < op.out.channels; ++o) {
            out[static_cast<std::size_t>((unit * kTensorDepth + k) * width + o)] =
                to_bf16(weight[static_cast<std::size_t>((o * in + step * kTensorDepth + k) * count + tap)]);
          }
        }
      }
    }
  };
  fill(builder.weight(op.weight), channels, taps);
  if (skips > 0) fill(builder.weight(op.skip_weight), skips, 1);
  return out;
}

// The operands of the batch that is run.
ConvParams placed(const ConvOp& op, const ConvParams& shape, const Frame& frame) {
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
  return params;
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
  std::vector<float> bias(static_cast<std::size_t>(op.out.channels), 0.0f);
  for (const WeightId id : {op.bias, op.skip_bias}) {
    for (std::size_t o = 0; id != kNone && o < bias.size(); ++o) bias[o] += builder.weight(id)[o];
  }
  shape.bias = builder.keep(bias);

  if (builder.tensor() && worth_tensor_cores(channels, op.out.channels)) {
    const TensorConvParams tensor{shape, builder.keep(packed(op, shape, builder)), tensor_steps(channels), tensor_steps(skips)};
    return [op, tensor](const Frame& frame) {
      TensorConvParams params = tensor;
      params.conv = placed(op, tensor.conv, frame);
      frame.device.launch<Kernel::tensor_conv>({blocks(op.out.height, kTensorRows) * blocks(op.out.width, kTensorColumns),
                                                blocks(op.out.channels, kTensorOutputs), static_cast<std::uint32_t>(frame.samples)},
                                               kTensorThreads, kTensorShared, params);
      launch_statistics(frame, op.out, op.stats);
    };
  }
  shape.weight = builder.keep(outputs_last(builder.weight(op.weight), op.out.channels, channels, op.kernel * op.kernel));
  if (skips > 0) shape.skip_weight = builder.keep(outputs_last(builder.weight(op.skip_weight), op.out.channels, skips, 1));
  return [op, shape](const Frame& frame) {
    frame.device.launch<Kernel::conv>({blocks(std::int64_t{1} * op.out.height * op.out.width, kConvPixels), blocks(op.out.channels, kConvOutputs),
                                       static_cast<std::uint32_t>(frame.samples)},
                                      kConvThreads, kConvShared, placed(op, shape, frame));
    launch_statistics(frame, op.out, op.stats);
  };
}

}  // namespace diffcert::cuda
