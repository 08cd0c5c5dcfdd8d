// Launchers of what goes backwards but is no forward op again: what comes back through loads, norms, attention.
#include <cmath>

#include "core/status.hpp"
#include "cuda/step.hpp"

namespace diffcert::cuda {
namespace {

ComingBack coming_back(const LoadGradient& in, const Frame& frame, const Feature& to) {
  return {frame.feature(in.gradient), frame.feature(in.source), frame.in(in.load.affine), to.height, to.width, in.gradient.channels, in.first, to.channels,
          in.scale, in.up2, in.down2, in.load.silu};
}

void launch_pull(const Frame& frame, const PullParams& params) {
  const std::int64_t threads = std::int64_t{1} * params.in.height * params.in.width * ((params.in.count + 7) / 8);
  frame.device.launch<Kernel::pull>({blocks(threads, kPullThreads), static_cast<std::uint32_t>(frame.samples)}, kPullThreads, 0, params);
}

void launch_sums(const Frame& frame, const PullSumsParams& params) {
  frame.device.launch<Kernel::pull_sums>({blocks(params.in.count, kStatsChannels), static_cast<std::uint32_t>(frame.samples)}, kStatsThreads, kStatsShared,
                                         params);
}

// Attention on tensor cores: the queries leave what keys and values need of them.
void launch_flash(const Frame& frame, const AttentionBackwardParams& params) {
  const Grid grid{blocks(params.tokens, kFlashQueries), static_cast<std::uint32_t>(params.heads), static_cast<std::uint32_t>(frame.samples)};
  const int depth = flash_depth(params.channels / params.heads);
  const auto queries = [&]<Kernel kernel>() { frame.device.launch<kernel>(grid, kFlashThreads, flash_queries_shared(depth), params); };
  const auto keys = [&]<Kernel kernel>() { frame.device.launch<kernel>(grid, kFlashThreads, flash_keys_shared(depth), params); };
  if (depth == 64) {
    queries.template operator()<Kernel::tensor_attention_queries_64>();
    keys.template operator()<Kernel::tensor_attention_keys_64>();
  } else if (depth == 128) {
    queries.template operator()<Kernel::tensor_attention_queries_128>();
    keys.template operator()<Kernel::tensor_attention_keys_128>();
  } else {
    queries.template operator()<Kernel::tensor_attention_queries_256>();
    keys.template operator()<Kernel::tensor_attention_keys_256>();
    frame.device.launch<Kernel::tensor_attention_values_256>(grid, kFlashThreads, flash_values_shared(depth), params);
  }
}

}  // namespace

Step make_step(const LoadSumsOp& op, Builder&) {
  return [op](const Frame& frame) {
    const std::int32_t channels = op.in.gradient.channels;
    launch_sums(frame, {coming_back(op.in, frame, op.in.source), frame.in(op.stats), frame.at(op.out), 2 * channels, op.in.first, channels + op.in.first, 1.0f});
  };
}

Step make_step(const ChannelSumOp& op, Builder&) {
  return [op](const Frame& frame) {
    const LoadGradient plain{op.in, 0, false, false, 1.0f, {}, {}};
    launch_sums(frame, {coming_back(plain, frame, op.in), {}, frame.at(op.out), op.in.channels, 0, 0, op.scale});
  };
}

Step make_step(const PullbackOp& op, Builder&) {
  return [op](const Frame& frame) {
    launch_pull(frame, {coming_back(op.in, frame, op.out), frame.in(op.slopes), frame.feature(op.out), op.accumulate});
  };
}

// A vector is a map of one pixel.
Step make_step(const SiluBackwardOp& op, Builder&) {
  return [op](const Frame& frame) {
    const auto vector = [&](BufferId id) { return Feature{id, 1, 1, op.elements}; };
    const LoadGradient in{vector(op.gradient), 0, false, false, 1.0f, vector(op.in), {kNone, true}};
    launch_pull(frame, {coming_back(in, frame, vector(op.out)), {}, frame.feature(vector(op.out)), false});
  };
}

Step make_step(const NormBackwardOp& op, Builder& builder) {
  const Span<const float> gamma = builder.packs().copy(op.norm.gamma), beta = builder.packs().copy(op.norm.beta);
  return [op, gamma, beta](const Frame& frame) {
    const NormOp& norm = op.norm;
    const NormParams forward{{frame.in(norm.stats[0]), frame.in(norm.stats[1])}, {norm.channels[0], norm.channels[1]}, norm.pixels, norm.groups, norm.eps,
                             gamma, beta, frame.in(norm.adaptive), {}};
    frame.device.launch<Kernel::norm_backward>({static_cast<std::uint32_t>(frame.samples)}, kNormThreads, 0,
                                               {forward, frame.in(op.sums), frame.at(op.slopes), frame.at(op.adaptive), frame.at(op.affine)});
  };
}

bool on_tensor_cores(const AttentionBackwardOp& op, const Builder& builder) {
  return builder.half(op.in) && builder.half(op.gradient) && builder.half(op.out) && flash_takes(std::int64_t{1} * op.in.height * op.in.width, op.gradient.channels, op.heads);
}

Step make_step(const AttentionBackwardOp& op, Builder& builder) {
  const std::int32_t channels = op.gradient.channels, tokens = op.in.height * op.in.width;
  invariant(op.in.channels == 3 * channels && channels % op.heads == 0, "attention channels do not divide by their heads");
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(channels / op.heads)));
  const std::int64_t numbers = std::int64_t{3} * op.heads * tokens;
  builder.scratch(numbers);
  const bool flash = on_tensor_cores(op, builder);
  return [=](const Frame& frame) {
    const AttentionBackwardParams params{frame.feature(op.in), frame.feature(op.gradient), frame.feature(op.out), {frame.scratch, numbers * frame.samples},
                                         tokens, channels, op.heads, scale};
    if (flash) return launch_flash(frame, params);
    const Grid grid{blocks(tokens, kBackWarps), static_cast<std::uint32_t>(op.heads), static_cast<std::uint32_t>(frame.samples)};
    frame.device.launch<Kernel::attention_queries>(grid, kBackThreads, attention_backward_shared(params), params);
    frame.device.launch<Kernel::attention_keys>(grid, kBackThreads, attention_backward_shared(params), params);
  };
}

}  // namespace diffcert::cuda
