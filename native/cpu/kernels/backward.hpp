// The kernels of the backward direction that touch each element once or twice: what comes back through a load, its sums, and softmax's.
#pragma once

#include "cpu/simd.hpp"

namespace diffcert::cpu {
namespace {

// The derivative of x / (1 + e^-x): g (1 + x (1 - g)) with g = 1 / (1 + e^-x).
DIFFCERT_INLINE F16 swish_slope(F16 x) {
  const F16 one = set1(1.0f);
  const F16 gate = one / (one + exponential(set1(0.0f) - x));
  return gate * fma(x, one - gate, one);
}

// dz of one pixel's 16 channels from c on, and the source's values there.
struct Back {
  F16 dz, value;
};

template <bool Source, bool Affine, bool Silu>
DIFFCERT_INLINE Back back_of(const PullRow& in, F16 scale, F16 a, F16 b, std::int64_t pixel, std::int64_t c, std::int64_t count) {
  Back back{scale * load_some(in.gradient + pixel * in.gradient_stride + c, count), set1(0.0f)};
  if constexpr (Source) back.value = load_some(in.source + pixel * in.source_stride + c, count);
  if constexpr (Silu) back.dz = back.dz * swish_slope(Affine ? fma(a, back.value, b) : back.value);
  return back;
}

template <bool Source, bool Affine, bool Silu>
void pull_as(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* slope, const float* offset, float* out,
             std::int64_t out_stride, bool accumulate) {
  const F16 scale = set1(in.scale);
  DIFFCERT_FOR_LANES(c, count, channels) {
    const F16 none = set1(0.0f);
    const F16 a = Affine ? load_some(in.a + c, count) : none, b = Affine ? load_some(in.b + c, count) : none;
    const F16 s = slope ? load_some(slope + c, count) : none, t = slope ? load_some(offset + c, count) : none;
    for (std::int64_t i = 0; i < pixels; ++i) {
      const Back back = back_of<Source, Affine, Silu>(in, scale, a, b, i, c, count);
      F16 v = back.dz;
      if constexpr (Affine) v = a * v;
      if (slope) v = v + fma(s, back.value, t);
      float* place = out + i * out_stride + c;
      if (accumulate) v = load_some(place, count) + v;
      store_some(place, v, count);
    }
  }
}

void pull(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* slope, const float* offset, float* out,
          std::int64_t out_stride, bool accumulate) {
  if (in.a && in.silu) {
    pull_as<true, true, true>(pixels, channels, in, slope, offset, out, out_stride, accumulate);
  } else if (in.a) {
    pull_as<true, true, false>(pixels, channels, in, slope, offset, out, out_stride, accumulate);
  } else if (in.silu) {
    pull_as<true, false, true>(pixels, channels, in, slope, offset, out, out_stride, accumulate);
  } else {
    pull_as<false, false, false>(pixels, channels, in, slope, offset, out, out_stride, accumulate);
  }
}

DIFFCERT_INLINE void add_lanes(double* to, F16 x, std::int64_t count) {
  float lane[16];
  store(lane, x);
  for (std::int64_t i = 0; i < count; ++i) to[i] += static_cast<double>(lane[i]);
}

template <bool Source, bool Affine, bool Silu>
void pull_sums_as(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* mean, double* centred, double* plain) {
  const F16 scale = set1(in.scale);
  DIFFCERT_FOR_LANES(c, count, channels) {
    const F16 none = set1(0.0f);
    const F16 a = Affine ? load_some(in.a + c, count) : none, b = Affine ? load_some(in.b + c, count) : none;
    const F16 middle = Source ? load_some(mean + c, count) : none;
    F16 with = none, alone = none;
    for (std::int64_t i = 0; i < pixels; ++i) {
      const Back back = back_of<Source, Affine, Silu>(in, scale, a, b, i, c, count);
      if constexpr (Source) with = fma(back.dz, back.value - middle, with);
      alone = alone + back.dz;
    }
    if constexpr (Source) add_lanes(centred + c, with, count);
    add_lanes(plain + c, alone, count);
  }
}

void pull_sums(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* mean, double* centred, double* plain) {
  if (in.a && in.silu) {
    pull_sums_as<true, true, true>(pixels, channels, in, mean, centred, plain);
  } else if (in.a) {
    pull_sums_as<true, true, false>(pixels, channels, in, mean, centred, plain);
  } else {
    pull_sums_as<false, false, false>(pixels, channels, in, mean, centred, plain);
  }
}

void softmax_backward(std::int64_t n, const float* weights, float* row, float scale) {
  F16 sum = set1(0.0f);
  DIFFCERT_FOR_LANES(i, count, n) { sum = fma(load_some(weights + i, count), load_some(row + i, count), sum); }
  const F16 mean = set1(sum_lanes(sum)), factor = set1(scale);
  DIFFCERT_FOR_LANES(i, count, n) {
    store_some(row + i, factor * (load_some(weights + i, count) * (load_some(row + i, count) - mean)), count);
  }
}

}  // namespace
}  // namespace diffcert::cpu
