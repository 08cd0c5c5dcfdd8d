// Launchers of everything but the convolution.
#include <cmath>

#include "core/status.hpp"
#include "cpu/scalar_math.hpp"
#include "cuda/step.hpp"
#include "ops/dropout.hpp"

namespace diffcert::cuda {
namespace {

constexpr double kLogMaxPositions = 9.2103403719761827361;  // ln 10000

// Attention on tensor cores, by the kernel for the heads' channels.
void launch_flash(const Frame& frame, const AttentionParams& params) {
  const Grid grid{blocks(params.tokens, kFlashQueries), static_cast<std::uint32_t>(params.heads), static_cast<std::uint32_t>(frame.samples)};
  const int depth = flash_depth(params.channels / params.heads);
  const auto run = [&]<Kernel kernel>() { frame.device.launch<kernel>(grid, kFlashThreads, flash_shared(depth), params); };
  if (depth == 64) run.template operator()<Kernel::tensor_attention_64>();
  else if (depth == 128) run.template operator()<Kernel::tensor_attention_128>();
  else run.template operator()<Kernel::tensor_attention_256>();
}

}  // namespace

Step make_step(const EmbedOp& op, Builder& builder) {
  const Span<const float> turns = builder.packs().copy(op.freqs);
  Span<const double> table;
  if (op.freqs == kNone) {
    const int half = op.channels / 2;
    std::vector<double> freqs;
    for (int i = 0; i < half; ++i) freqs.push_back(cpu::exact_exp(-kLogMaxPositions * i / (half - (op.endpoint ? 1 : 0))));
    table = builder.keep(freqs);
  }
  return [op, turns, table](const Frame& frame) {
    frame.device.launch<Kernel::embed>({static_cast<std::uint32_t>(frame.samples)}, kEmbedThreads, 0,
                                       {frame.in(op.noise_label), table, turns, frame.at(op.out), op.channels, op.swap_halves});
  };
}

Step make_step(const LinearOp& op, Builder& builder) {
  // Threads are outputs.
  const Span<const float> weight = builder.packs().outputs_last(op.weight, op.out_features, op.in_features, 1, op.transposed);
  const Span<const float> bias = builder.packs().copy(op.bias);
  return [op, weight, bias](const Frame& frame) {
    const LinearParams params{frame.in(op.in), weight, bias, frame.in(op.addend), frame.at(op.out), static_cast<std::int32_t>(frame.samples),
                              op.in_features, op.out_features, op.in_scale, op.silu};
    frame.device.launch<Kernel::linear>({blocks(op.out_features, kLinearThreads), blocks(frame.samples, kLinearRows)}, kLinearThreads,
                                        kLinearShared, params);
  };
}

void launch_statistics(const Frame& frame, const Feature& in, BufferId out) {
  if (out == kNone) return;
  frame.device.launch<Kernel::stats>({blocks(in.channels, kStatsChannels), static_cast<std::uint32_t>(frame.samples)}, kStatsThreads, kStatsShared,
                                     {frame.feature(in), frame.at(out), in.height * in.width, in.channels});
}

Step make_step(const StatsOp& op, Builder&) {
  return [op](const Frame& frame) { launch_statistics(frame, op.in, op.out); };
}

Step make_step(const NormOp& op, Builder& builder) {
  const Span<const float> gamma = builder.packs().copy(op.gamma), beta = builder.packs().copy(op.beta);
  return [op, gamma, beta](const Frame& frame) {
    const NormParams params{{frame.in(op.stats[0]), frame.in(op.stats[1])}, {op.channels[0], op.channels[1]}, op.pixels, op.groups, op.eps, gamma, beta,
                            frame.in(op.adaptive), frame.at(op.out)};
    frame.device.launch<Kernel::norm>({static_cast<std::uint32_t>(frame.samples)}, kNormThreads, 0, params);
  };
}

Step make_step(const ResampleOp& op, Builder& builder) {
  std::vector<float> factors;
  for (const float y : op.filter) {
    for (const float x : op.filter) {
      factors.push_back(static_cast<float>((op.up ? 4.0 : 1.0) * static_cast<double>(y) * static_cast<double>(x)));
    }
  }
  return [op, table = builder.keep(factors)](const Frame& frame) {
    const ResampleParams params{frame.feature(op.in), frame.in(op.load.affine), table, frame.feature(op.out), op.in.height, op.in.width, op.out.height,
                                op.out.width, op.in.channels, static_cast<std::int32_t>(op.filter.size()), op.padding, op.up, op.load.silu};
    const std::int64_t threads = std::int64_t{1} * op.out.height * op.out.width * ((op.out.channels + 7) / 8);
    frame.device.launch<Kernel::resample>({blocks(threads, kElementThreads), static_cast<std::uint32_t>(frame.samples)}, kElementThreads, 0,
                                          params);
    launch_statistics(frame, op.out, op.stats);
  };
}

Step make_step(const AddOp& op, Builder&) {
  return [op](const Frame& frame) {
    const FeatureSpan out = frame.feature(op.out);
    frame.device.launch<Kernel::add>({blocks(out.count, 8 * kElementThreads)}, kElementThreads, 0, {frame.feature(op.a), frame.feature(op.b), out, op.scale});
    launch_statistics(frame, op.out, op.stats);
  };
}

Step make_step(const DropoutOp& op, Builder&) {
  return [op, scale = dropout_scale(op.rate)](const Frame& frame) {
    const std::int64_t size = elements(op.in);
    frame.device.launch<Kernel::dropout>({blocks((size + kDropoutBlock - 1) / kDropoutBlock, kDropoutThreads), static_cast<std::uint32_t>(frame.samples)},
                                         kDropoutThreads, 0,
                                         {frame.feature(op.in), frame.in(op.load.affine), frame.in(op.chance), frame.feature(op.out), size, op.in.channels,
                                          op.layer, op.rate, scale, op.load.silu});
  };
}

bool on_tensor_cores(const AttentionOp& op, const Builder& builder) {
  return builder.half(op.in) && builder.half(op.out) && flash_takes(std::int64_t{1} * op.in.height * op.in.width, op.out.channels, op.heads);
}

Step make_step(const AttentionOp& op, Builder& builder) {
  const std::int32_t channels = op.in.channels / 3, tokens = op.in.height * op.in.width;
  invariant(op.in.channels % 3 == 0 && channels % op.heads == 0, "attention channels do not divide by their heads");
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(channels / op.heads)));
  const bool flash = on_tensor_cores(op, builder);
  return [op, channels, tokens, scale, flash](const Frame& frame) {
    const AttentionParams params{frame.feature(op.in), frame.feature(op.out), tokens, channels, op.heads, scale};
    if (flash) return launch_flash(frame, params);
    frame.device.launch<Kernel::attention>(
        {blocks(tokens, kAttentionWarps), static_cast<std::uint32_t>(op.heads), static_cast<std::uint32_t>(frame.samples)}, kAttentionThreads,
        attention_shared(params), params);
  };
}

}  // namespace diffcert::cuda
