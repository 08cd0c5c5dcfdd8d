// The two ends of a row of a vote.
//
// Why this shape: the noise of a level is a function of a few keys, so it is drawn where it is needed and never stored or sent: what comes down for a row
// is three integers, what goes up is one number a tau. All of it is float64 in the order of the host's code (native/elbo), nothing fused, so that the
// network's input has the host's bits, and a residual differs from the host's by the order of its sum alone. The input is made once for all classes of a
// (sample, level) and written to each of their rows.
#include "kernels/device.cuh"

#include "core/normal.hpp"
#include "kernels/smxx_rows.hpp"

namespace diffcert {
namespace {

struct Pair {
  double x[2];
};

// x_u of elements 2 * pair and 2 * pair + 1; the second means nothing behind the last element.
DC_DEVICE Pair upper(const RowLevel& level, const NoiseKey& key, const Global<const double>& centre, int pair, int elements) {
  const UniformPair u = key.uniforms(NoiseStream::level, level.position, static_cast<std::uint32_t>(pair));
  const int e = 2 * pair;
  return {{centre[e] + level.spread * normal::quantile(u[0]), e + 1 < elements ? centre[e + 1] + level.spread * normal::quantile(u[1]) : 0.0}};
}

DC_DEVICE Global<const double> centre_of(const RowSource& s, const RowLevel& level, int sample) {
  const std::int64_t elements = std::int64_t{1} * s.channels * s.pixels;
  return Global<const double>(s.centre).part((std::int64_t{1} * level.base * s.samples + sample) * elements, elements);
}

// To [-1, 1]; what is not finite becomes NaN, so that the loss shows it.
DC_DEVICE double clamped(double v) {
  if (!(v - v == 0.0)) return v - v;
  return v > 1.0 ? 1.0 : v < -1.0 ? -1.0 : v;
}

}  // namespace

DC_KERNEL(rows, RowsParams, kRowsThreads) {
  const RowSource& s = p.source;
  const int elements = s.channels * s.pixels, pair = static_cast<int>(blockIdx.x) * kRowsThreads + static_cast<int>(threadIdx.x);
  if (2 * pair >= elements) return;
  const RowCell cell = Global<const RowCell>(p.cells)[blockIdx.y];
  const RowLevel level = Global<const RowLevel>(s.levels)[cell.level];
  const NoiseKey key = Global<const NoiseKey>(s.keys)[cell.sample];
  const Pair at = upper(level, key, centre_of(s, level, cell.sample), pair, elements);
  const Global<float> image = Global<float>(p.image).part(std::int64_t{1} * cell.first * elements, std::int64_t{1} * cell.count * elements);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int e = 2 * pair + i;
    if (e >= elements) continue;
    const auto value = static_cast<float>(level.c_in * at.x[i]);
    const int place = e % s.pixels * s.channels + e / s.pixels;
    for (int row = 0; row < cell.count; ++row) image[std::int64_t{1} * row * elements + place] = value;
  }
}

DC_KERNEL(residual, ResidualParams, kResidualThreads) {
  SharedPool pool;
  const Shared<double> partial = pool.take<double>("partial", kResidualTaus * kResidualThreads);
  const RowSource& s = p.source;
  const int thread = static_cast<int>(threadIdx.x), elements = s.channels * s.pixels;
  const std::int64_t number = blockIdx.x;
  const Row row = Global<const Row>(p.rows)[number];
  const RowLevel level = Global<const RowLevel>(s.levels)[row.level];
  const NoiseKey key = Global<const NoiseKey>(s.keys)[row.sample];
  const Global<const double> centre = centre_of(s, level, row.sample), target(p.target);
  const Global<const PosteriorMix> mix(p.mix);
  const Global<const std::int32_t> bodies(p.bodies);
  const std::int64_t body = bodies ? std::int64_t{1} * bodies[number] : number, size = std::int64_t{1} * s.pixels * p.out_channels;
  const Global<const float> network = Global<const float>(p.network).part(body * size, size);
  const int head = bodies ? row.label * s.channels : 0;  // its first channel
  const Global<double> residual = Global<double>(p.residual).part(std::int64_t{1} * row.place * p.taus, p.taus);
  const int taus = mix ? level.base + 1 : 1;

  for (int first = 0; first < taus; first += kResidualTaus) {
    double sums[kResidualTaus] = {}, of_position[kResidualTaus] = {}, of_upper[kResidualTaus] = {};
#pragma unroll
    for (int t = 0; t < kResidualTaus; ++t) {
      if (!mix || first + t >= taus) continue;
      const PosteriorMix m = mix[std::int64_t{1} * row.level * p.taus + first + t];
      of_position[t] = m.of_position;
      of_upper[t] = m.of_upper;
    }
    for (int pair = thread; 2 * pair < elements; pair += kResidualThreads) {
      const Pair at = upper(level, key, centre, pair, elements);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int e = 2 * pair + i;
        if (e >= elements) continue;
        const double f = static_cast<double>(network[std::int64_t{1} * (e % s.pixels) * p.out_channels + head + e / s.pixels]);
        double denoised = level.c_skip * at.x[i] + level.c_out * f;
        if (p.clamp) denoised = clamped(denoised);
        const double mean = mix ? level.of_denoised * denoised + level.of_upper * at.x[i] : denoised;
#pragma unroll
        for (int t = 0; t < kResidualTaus; ++t) {
          if (first + t >= taus) continue;
          const std::int64_t which = (std::int64_t{1} * (first + t) * s.samples + row.sample) * p.targets + (p.targets > 1 ? row.label : 0);
          const double to = target[which * elements + e];
          const double d = mix ? (of_position[t] * to + of_upper[t] * at.x[i]) - mean : mean - to;
          sums[t] = sums[t] + d * d;
        }
      }
    }
#pragma unroll
    for (int t = 0; t < kResidualTaus; ++t) partial[t * kResidualThreads + thread] = sums[t];
    sync_block();
    for (int half = kResidualThreads / 2; half > 0; half /= 2) {
      if (thread < half) {
#pragma unroll
        for (int t = 0; t < kResidualTaus; ++t) partial[t * kResidualThreads + thread] += partial[t * kResidualThreads + thread + half];
      }
      sync_block();
    }
    if (thread < kResidualTaus && first + thread < taus) residual[first + thread] = partial[thread * kResidualThreads] / static_cast<double>(elements);
    sync_block();  // before the next pass writes
  }
}

}  // namespace diffcert
