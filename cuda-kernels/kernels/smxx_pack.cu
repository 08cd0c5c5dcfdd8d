// Packing of weights: once for a model, once a step in training, where it is some 40 bytes a weight (reads are strided, writes are not) beside 6
// operations a weight, row and pixel. Each number of the packed form finds its own in the published one; sums over phases are made in double and
// rounded once.
#include "kernels/device.cuh"

#include "kernels/smxx_pack.hpp"

namespace diffcert {
namespace {

// Where W[o][c][t] is published.
DC_DEVICE std::int64_t published(const PublishedWeight& w, std::int64_t o, std::int64_t c, std::int64_t t) {
  return w.transposed ? (c * w.outputs + o) * w.taps + w.taps - 1 - t : (o * w.channels + c) * w.taps + t;
}

// Row i of the kernel, on output row 2 y + phase, reads row y + floor((phase + i - padding) / 2) of the small map: row `to` of the phase's kernel.
DC_DEVICE int to(const TensorPackParams& p, int phase, int i) { return p.side == 1 ? 0 : (phase + i + 1) / 2 - phase; }

DC_DEVICE float of_phase(const TensorPackParams& p, int phase, int o, int c, int tap) {
  const Global<const float> values(p.weight.values);
  double sum = 0;
  for (int i = 0; i < p.kernel * p.kernel; ++i) {
    const int row = to(p, phase / 2, i / p.kernel), column = to(p, phase % 2, i % p.kernel);
    if (row * p.side + column == tap) sum += static_cast<double>(values[published(p.weight, o, c, i)]);
  }
  return static_cast<float>(sum);
}

}  // namespace

DC_KERNEL(pack_plain, PackParams, kPackThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kPackThreads + threadIdx.x;
  if (i >= p.out.count) return;
  const Global<const float> values(p.weight.values), plus(p.plus);
  const std::int64_t o = i % p.weight.outputs, c = i / p.weight.outputs % p.weight.channels, t = i / p.weight.outputs / p.weight.channels;
  const std::int64_t at = published(p.weight, o, c, t);
  Global<float>(p.out)[i] = plus ? values[at] + plus[at] : values[at];
}

DC_KERNEL(pack_tensor, TensorPackParams, kPackThreads) {
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kPackThreads + threadIdx.x;
  if (i >= p.out.count) return;
  const int block = p.depth * p.band, within = static_cast<int>(i % block);
  const int k = within / (p.grain * p.band) * p.grain + within % p.grain;
  const auto unit = static_cast<int>(i / block % p.units);
  const auto part = static_cast<int>(i / block / p.units);  // phase and band
  const int o = part % p.bands * p.band + within / p.grain % p.band, taps = p.side * p.side;
  const int sources = (p.weight.channels + p.depth - 1) / p.depth * taps;  // units
  float value = 0;
  if (o < p.weight.outputs && unit < sources) {
    const int c = unit / taps * p.depth + k, tap = unit % taps;
    if (c < p.weight.channels) {
      value = p.phases > 1 ? of_phase(p, part / p.bands, o, c, tap) : Global<const float>(p.weight.values)[published(p.weight, o, c, tap)];
    }
  } else if (o < p.weight.outputs) {
    const int c = (unit - sources) * p.depth + k;
    if (c < p.skip.channels) value = Global<const float>(p.skip.values)[published(p.skip, o, c, 0)];
  }
  Global<Bf16>(p.out)[i] = to_bf16(value);
}

}  // namespace diffcert
