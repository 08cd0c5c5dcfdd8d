// Noise level embedding and linear maps: 0.02 % of a network's arithmetic, written for sameness, not speed.
#include "kernels/device.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_embedding.hpp"

namespace diffcert {
namespace {

constexpr double kTwoPi = 6.2831853071795864769;

}  // namespace

DC_KERNEL(embed, EmbedParams, kEmbedThreads) {
  const int half = p.channels / 2;
  const Global<const float> label(p.noise_label);
  const Global<const float> turns(p.turns);
  const Global<const double> freqs(p.freqs);
  const Global<float> out = Global<float>(p.out).part(std::int64_t{1} * blockIdx.x * p.channels, p.channels);
  for (int i = static_cast<int>(threadIdx.x); i < half; i += kEmbedThreads) {
    double cosine = 0, sine = 0;
    const double frequency = turns ? kTwoPi * static_cast<double>(turns[i]) : freqs[i];
    exact_cos_sin(static_cast<double>(label[blockIdx.x]) * frequency, cosine, sine);
    out[i] = static_cast<float>(p.swap_halves ? sine : cosine);
    out[half + i] = static_cast<float>(p.swap_halves ? cosine : sine);
  }
}

DC_KERNEL_RESIDENT(linear, LinearParams, kLinearThreads, 4) {
  SharedPool pool;
  const Shared<float> rows = pool.take<float>("rows", kLinearRows * kLinearChunk);
  const Global<const float> in(p.in), weight(p.weight), bias(p.bias), addend(p.addend);
  const Global<float> out(p.out);
  const int thread = static_cast<int>(threadIdx.x);
  const int o = static_cast<int>(blockIdx.x) * kLinearThreads + thread;
  const std::int64_t first = std::int64_t{1} * blockIdx.y * kLinearRows;
  float sums[kLinearRows] = {};
  for (int k0 = 0; k0 < p.in_features; k0 += kLinearChunk) {
    // Thread t brings one number: row t / 32, input t mod 32 of this chunk.
    const std::int64_t row = first + thread / kLinearChunk;
    const int k = k0 + thread % kLinearChunk;
    rows[thread] = row < p.n && k < p.in_features ? p.in_scale * in[row * p.in_features + k] : 0.0f;
    sync_block();
    if (o < p.out_features) {
      const int count = p.in_features - k0 < kLinearChunk ? p.in_features - k0 : kLinearChunk;
      for (int i = 0; i < count; ++i) {
        const float w = weight[std::int64_t{1} * (k0 + i) * p.out_features + o];
#pragma unroll
        for (int r = 0; r < kLinearRows; ++r) sums[r] = fma(w, rows[r * kLinearChunk + i], sums[r]);
      }
    }
    sync_block();
  }
  if (o >= p.out_features) return;
#pragma unroll
  for (int r = 0; r < kLinearRows; ++r) {
    if (first + r >= p.n) continue;
    float v = sums[r];
    if (bias) v = v + bias[o];
    if (addend) v = v + addend[(first + r) * p.out_features + o];
    out[(first + r) * p.out_features + o] = p.silu ? swish(v) : v;
  }
}

}  // namespace diffcert
