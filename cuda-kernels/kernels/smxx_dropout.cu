// Dropout of features, forwards and as its own adjoint: about 20 operations a number for its draw and its load, over 4 bytes (bf16) or 8 of traffic, so
// bound by memory. Which numbers are dropped is drawn again on the way back: a mask would cost as much traffic as it saves.
#include "kernels/device.cuh"

#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_dropout.hpp"
#include "ops/dropout.hpp"

namespace diffcert {

static_assert(kDropoutBlock == 8, "a thread makes the numbers of one block");

DC_KERNEL(dropout, DropoutParams, kDropoutThreads) {
  const std::int64_t block = std::int64_t{1} * blockIdx.x * kDropoutThreads + threadIdx.x, sample = blockIdx.y, i = block * kDropoutBlock;
  if (i >= p.size) return;
  const FeatureIn in = FeatureIn(p.in).part(sample * p.size, p.size);
  const FeatureOut out = FeatureOut(p.out).part(sample * p.size, p.size);
  const Global<const float> affine(p.affine), chance(p.chance);
  const bool wide = p.size % 8 == 0, normed = static_cast<bool>(affine);
  const int count = p.size - i < 8 ? static_cast<int>(p.size - i) : 8;
  float parts[kChanceParts];
#pragma unroll
  for (int k = 0; k < kChanceParts; ++k) parts[k] = chance[sample * kChanceParts + k];
  const NoiseKey key = key_of_chance(parts);
  const PhiloxBlock draws = philox(dropout_counter(key, p.layer, static_cast<std::uint32_t>(block)), key.seed);
  Eight v = some(in, i, count, wide);
  int channel = static_cast<int>(i % p.channels);
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    float a = 0, b = 0;
    if (normed && k < count) {
      const std::int64_t at = sample * 2 * p.channels + channel;
      a = affine[at];
      b = affine[at + p.channels];
      channel = channel + 1 == p.channels ? 0 : channel + 1;
    }
    v.v[k] = dropout_draw(draws, k) < p.rate ? 0.0f : p.scale * activated(v.v[k], normed, a, b, p.silu);
  }
  put_some(out, i, count, wide, v);
}

}  // namespace diffcert
