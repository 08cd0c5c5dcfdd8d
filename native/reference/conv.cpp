// The convolution and the resampling of the reference device.
#include <algorithm>

#include "reference/ops.hpp"

namespace diffcert::reference {
namespace {

Map upsampled(const Map& in) {
  Map out{std::vector<double>(in.values.size() * 4), in.height * 2, in.width * 2, in.channels};
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      for (std::int64_t c = 0; c < out.channels; ++c) {
        out.values[static_cast<std::size_t>((y * out.width + x) * out.channels + c)] = in.at(y / 2, x / 2, c);
      }
    }
  }
  return out;
}

Map averaged(const Map& in) {
  Map out{std::vector<double>(in.values.size() / 4), in.height / 2, in.width / 2, in.channels};
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      for (std::int64_t c = 0; c < out.channels; ++c) {
        const double sum = in.at(2 * y, 2 * x, c) + in.at(2 * y, 2 * x + 1, c) + in.at(2 * y + 1, 2 * x, c) + in.at(2 * y + 1, 2 * x + 1, c);
        out.values[static_cast<std::size_t>((y * out.width + x) * out.channels + c)] = sum / 4;
      }
    }
  }
  return out;
}

// [Cout, Cin, taps] as [taps, Cin, Cout]: one input value meets all output channels side by side, which compilers make fast
// without touching the order of any sum.
std::vector<double> outputs_last(const std::vector<double>& weight, std::int64_t out, std::int64_t in, std::int64_t taps) {
  std::vector<double> moved(weight.size());
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        moved[static_cast<std::size_t>((t * in + c) * out + o)] = weight[static_cast<std::size_t>((o * in + c) * taps + t)];
      }
    }
  }
  return moved;
}

// sums[o] += sum over c of weight[c][o] * values[c].
void accumulate(const double* weight, const double* values, std::int64_t in, std::int64_t out, double* sums) {
  for (std::int64_t c = 0; c < in; ++c) {
    const double v = values[c];
    for (std::int64_t o = 0; o < out; ++o) sums[o] += weight[c * out + o] * v;
  }
}

// [Cin, Cout, taps], taps flipped, as [Cout, Cin, taps].
std::vector<double> flipped(const std::vector<double>& weight, std::int64_t out, std::int64_t in, std::int64_t taps) {
  std::vector<double> moved(weight.size());
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        moved[static_cast<std::size_t>((o * in + c) * taps + t)] = weight[static_cast<std::size_t>((c * out + o) * taps + taps - 1 - t)];
      }
    }
  }
  return moved;
}

}  // namespace

Map map(const Feature& first, const Feature& second, const Load& load, bool up, bool down, const Place& at) {
  Map m{loaded(first, second, load, at), first.height, first.width, first.channels + (second.present() ? second.channels : 0)};
  if (up) return upsampled(m);
  return down ? averaged(m) : m;
}

void run(const ConvOp& op, const Place& at) {
  const Map in = map(op.src[0], op.src[1], op.load, op.up2, op.down2, at);
  const std::int64_t k = op.kernel, channels = op.out.channels;
  const std::vector<double>& published = at.weight(op.weight);
  const std::vector<double> weight =
      outputs_last(op.transposed ? flipped(published, channels, in.channels, k * k) : published, channels, in.channels, k * k);
  Map skip{}, residual{};
  std::vector<double> skip_weight;
  if (op.skip[0].present()) {
    skip = map(op.skip[0], op.skip[1], {}, false, false, at);
    skip_weight = outputs_last(at.weight(op.skip_weight), channels, skip.channels, 1);
  }
  if (op.residual.present()) residual = map(op.residual, op.residual_tail, {}, op.residual_up2, op.residual_down2, at);
  std::vector<double> out(static_cast<std::size_t>(elements(op.out)));
  for (std::int64_t y = 0; y < op.out.height; ++y) {
    for (std::int64_t x = 0; x < op.out.width; ++x) {
      double* sums = out.data() + (y * op.out.width + x) * channels;
      for (std::int64_t dy = 0; dy < k; ++dy) {
        for (std::int64_t dx = 0; dx < k; ++dx) {
          const std::int64_t iy = y + dy - op.padding, ix = x + dx - op.padding;
          if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width) continue;
          accumulate(weight.data() + (dy * k + dx) * in.channels * channels,
                     in.values.data() + (iy * in.width + ix) * in.channels, in.channels, channels, sums);
        }
      }
      if (op.skip[0].present()) {
        accumulate(skip_weight.data(), skip.values.data() + (y * skip.width + x) * skip.channels, skip.channels, channels, sums);
      }
      for (std::int64_t o = 0; o < channels; ++o) {
        const auto place = static_cast<std::size_t>(o);
        if (op.bias != kNone) sums[o] += at.weight(op.bias)[place];
        if (op.skip_bias != kNone) sums[o] += at.weight(op.skip_bias)[place];
        if (op.shift != kNone) sums[o] += at.buffer(op.shift)[o];
        if (op.residual.present()) sums[o] += residual.at(y, x, o);
        sums[o] *= static_cast<double>(op.scale);
      }
    }
  }
  double* place = at.buffer(op.out.buffer);
  std::copy(out.begin(), out.end(), place);
  if (op.stats != kNone) statistics(place, std::int64_t{op.out.height} * op.out.width, channels, at.buffer(op.stats));
}

void run(const ResampleOp& op, const Place& at) {
  const Map in = map(op.in, {}, op.load, false, false, at);
  const auto taps = static_cast<std::int64_t>(op.filter.size());
  const std::int64_t channels = in.channels;
  std::vector<double> out(static_cast<std::size_t>(elements(op.out)));
  for (std::int64_t y = 0; y < op.out.height; ++y) {
    for (std::int64_t x = 0; x < op.out.width; ++x) {
      for (std::int64_t dy = 0; dy < taps; ++dy) {
        for (std::int64_t dx = 0; dx < taps; ++dx) {
          // down: input 2y + dy - padding. up: the transposed convolution, output y = 2 iy + dy - padding.
          const std::int64_t ny = op.up ? y + op.padding - dy : 2 * y + dy - op.padding;
          const std::int64_t nx = op.up ? x + op.padding - dx : 2 * x + dx - op.padding;
          if (op.up && (ny % 2 != 0 || nx % 2 != 0)) continue;
          const double tap = static_cast<double>(op.filter[static_cast<std::size_t>(dy)]) * static_cast<double>(op.filter[static_cast<std::size_t>(dx)]);
          for (std::int64_t c = 0; c < channels; ++c) {
            out[static_cast<std::size_t>((y * op.out.width + x) * channels + c)] +=
                op.up ? 4 * tap * in.at(ny / 2, nx / 2, c) : tap * in.at(ny, nx, c);
          }
        }
      }
    }
  }
  double* place = at.buffer(op.out.buffer);
  std::copy(out.begin(), out.end(), place);
  if (op.stats != kNone) statistics(place, std::int64_t{op.out.height} * op.out.width, channels, at.buffer(op.stats));
}

}  // namespace diffcert::reference
