#include "cuda/conv_pack.hpp"

#include <algorithm>

namespace diffcert::cuda {
namespace {

constexpr std::int64_t kRun = 16;  // numbers of a cache line: what is turned round is turned in such runs

// The weights of one phase of doubling, [out][in][side * side]: those taps of the large map's kernel that fall on one pixel of the small map
// are summed. Row i of the kernel, on output row 2 y + phase, reads small row y + floor((phase + i - padding) / 2).
std::vector<float> of_phase(const std::vector<float>& weight, int kernel, int side, int row, int column) {
  const auto to = [&](int phase, int i) { return side == 1 ? 0 : (phase + i + 1) / 2 - phase; };
  const std::size_t taps = static_cast<std::size_t>(kernel * kernel), rows = weight.size() / taps;
  std::vector<float> out;
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<double> sums(static_cast<std::size_t>(side * side));
    for (int i = 0; i < kernel * kernel; ++i) {
      sums[static_cast<std::size_t>(to(row, i / kernel) * side + to(column, i % kernel))] += static_cast<double>(weight[r * taps + static_cast<std::size_t>(i)]);
    }
    for (const double sum : sums) out.push_back(static_cast<float>(sum));
  }
  return out;
}

// Calls use(phase, unit, weight, in, count, k, tap) for each unit in the kernels' order: the sources' steps of `depth` channels, tap by tap, then the
// skips'. Unit `unit` of a phase takes channels k to k + depth - 1, tap `tap`, of weight [out][in][count].
template <class Use>
void each_unit(const ConvOp& op, int side, int depth, const Builder& builder, const Use& use) {
  const std::int64_t channels = op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0);
  const std::int64_t skips = (op.skip[0].present() ? op.skip[0].channels : 0) + (op.skip[1].present() ? op.skip[1].channels : 0);
  for (int phase = 0; phase < (op.up2 ? 4 : 1); ++phase) {
    std::int64_t unit = 0;
    const auto all = [&](const std::vector<float>& weight, std::int64_t in, std::int64_t count) {
      for (std::int64_t k = 0; k < in; k += depth) {
        for (std::int64_t tap = 0; tap < count; ++tap, ++unit) use(phase, unit, weight, in, count, k, tap);
      }
    };
    const std::vector<float> weight = weight_of(op, builder);
    all(op.up2 ? of_phase(weight, op.kernel, side, phase / 2, phase % 2) : weight, channels, std::int64_t{1} * side * side);
    if (skips > 0) all(builder.weight(op.skip_weight), skips, 1);
  }
}

std::int64_t unit_count(const ConvOp& op, int side, int depth) {
  const auto steps = [&](std::int64_t channels) { return (channels + depth - 1) / depth; };
  const std::int64_t channels = op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0);
  const std::int64_t skips = (op.skip[0].present() ? op.skip[0].channels : 0) + (op.skip[1].present() ? op.skip[1].channels : 0);
  return steps(channels) * side * side + steps(skips);
}

}  // namespace

std::vector<float> weight_of(const ConvOp& op, const Builder& builder) {
  const std::vector<float>& published = builder.weight(op.weight);
  if (!op.transposed) return published;
  const auto taps = static_cast<std::size_t>(op.kernel * op.kernel), out = static_cast<std::size_t>(op.out.channels), in = published.size() / taps / out;
  std::vector<float> moved(published.size());
  constexpr std::size_t run = kRun;
  for (std::size_t first = 0; first < in; first += run) {
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t c = first; c < std::min(first + run, in); ++c) {
        for (std::size_t t = 0; t < taps; ++t) moved[(o * in + c) * taps + t] = published[(c * out + o) * taps + taps - 1 - t];
      }
    }
  }
  return moved;
}

// [out][in][taps] as [taps][in][out].
std::vector<float> outputs_last(const std::vector<float>& weight, std::int64_t out, std::int64_t in, std::int64_t taps) {
  std::vector<float> moved(weight.size());
  for (std::int64_t first = 0; first < out; first += kRun) {
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        for (std::int64_t o = first; o < std::min(first + kRun, out); ++o) {
          moved[static_cast<std::size_t>((t * in + c) * out + o)] = weight[static_cast<std::size_t>((o * in + c) * taps + t)];
        }
      }
    }
  }
  return moved;
}

std::vector<Bf16> tensor_packed(const ConvOp& op, int side, const Builder& builder) {
  const std::int64_t width = tensor_width(op.out.channels, tensor_outputs(op.out.channels)), units = unit_count(op, side, kTensorDepth);
  std::vector<Bf16> out(static_cast<std::size_t>((op.up2 ? 4 : 1) * units * kTensorDepth * width), Bf16{0});
  each_unit(op, side, kTensorDepth, builder, [&](int phase, std::int64_t unit, const std::vector<float>& weight, std::int64_t in, std::int64_t count, std::int64_t first, std::int64_t tap) {
    for (std::int64_t k = 0; k < kTensorDepth && first + k < in; ++k) {
      for (std::int64_t o = 0; o < op.out.channels; ++o) {
        out[static_cast<std::size_t>(((phase * units + unit) * kTensorDepth + k) * width + o)] =
            to_bf16(weight[static_cast<std::size_t>((o * in + first + k) * count + tap)]);
      }
    }
  });
  return out;
}

std::vector<Bf16> group_packed(const ConvOp& op, int side, const Builder& builder) {
  const int outputs = group_outputs(op.out.channels);
  const std::int64_t bands = group_bands(op.out.channels, outputs), units = unit_count(op, side, kGroupDepth);
  std::vector<Bf16> out(static_cast<std::size_t>((op.up2 ? 4 : 1) * bands * units * group_weights(outputs)), Bf16{0});
  each_unit(op, side, kGroupDepth, builder, [&](int phase, std::int64_t unit, const std::vector<float>& weight, std::int64_t in, std::int64_t count, std::int64_t first, std::int64_t tap) {
    for (std::int64_t k = 0; k < kGroupDepth && first + k < in; ++k) {
      for (std::int64_t o = 0; o < op.out.channels; ++o) {
        const std::int64_t block = (phase * bands + o / outputs) * units + unit;
        out[static_cast<std::size_t>(block * group_weights(outputs) + (k / 8 * outputs + o % outputs) * 8 + k % 8)] =
            to_bf16(weight[static_cast<std::size_t>((o * in + first + k) * count + tap)]);
      }
    }
  });
  return out;
}

}  // namespace diffcert::cuda
