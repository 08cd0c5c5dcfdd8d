// exp, SiLU, sine and cosine from IEEE operations alone, so that a GPU and the emulator give the same bits; the polynomials are those
// of the CPU device (native/cpu/simd.hpp, scalar_math.hpp).
#pragma once

#include "kernels/device.cuh"

namespace diffcert {

// e^x, x clamped to [-87, 88]; relative error below 2e-7. A NaN comes out as e^88: callers show it by using the argument again.
DC_DEVICE float exponential(float x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it leaves the rounded integer in the low bits
  x = x < 88.0f ? x : 88.0f;
  x = x > -87.0f ? x : -87.0f;
  const float t = fma(x, 1.44269504f, magic);
  const float n = t - magic;
  float r = fma(n, -0.693359375f, x);
  r = fma(n, 2.12194440e-4f, r);
  float p = fma(1.0f / 720.0f, r, 1.0f / 120.0f);
  p = fma(p, r, 1.0f / 24.0f);
  p = fma(p, r, 1.0f / 6.0f);
  p = fma(p, r, 0.5f);
  p = fma(p, r, 1.0f);
  p = fma(p, r, 1.0f);
  return as_float(as_bits(p) + (as_bits(t) << 23));
}

DC_DEVICE float swish(float x) { return x / (1.0f + exponential(-x)); }

// The slope of swish: s (1 + x (1 - s)), s = 1 / (1 + e^-x).
DC_DEVICE float swish_slope(float x) {
  const float s = 1.0f / (1.0f + exponential(-x));
  return s * fma(x, 1.0f - s, 1.0f);
}

// What a load does to an element: v -> silu(a v + b), each part optional.
DC_DEVICE float activated(float v, bool affine, float a, float b, bool silu) {
  if (affine) v = fma(a, v, b);
  return silu ? swish(v) : v;
}

// cos(x) and sin(x), |x| <= 1e5: x - n pi/2 in three parts, then Taylor series on [-pi/4, pi/4]; absolute error below 1e-15.
DC_DEVICE void exact_cos_sin(double x, double& cosine, double& sine) {
  const double n = round_down(x * 0.63661977236758134 + 0.5);
  double r = fma(n, -1.57079632673412561417e+00, x);
  r = fma(n, -6.07710050630396597660e-11, r);
  r = fma(n, -2.02226624879595063154e-21, r);
  const double z = r * r;
  double c = 1.0, s = 1.0;
  for (int k = 20; k >= 2; k -= 2) {
    c = fma(c, -z / (k * (k - 1)), 1.0);
    s = fma(s, -z / (k * (k + 1)), 1.0);
  }
  s = s * r;
  const int quadrant = static_cast<int>(static_cast<long long>(n) & 3);
  const bool swap = (quadrant & 1) != 0;
  cosine = swap ? s : c;
  sine = swap ? c : s;
  if (quadrant == 1 || quadrant == 2) cosine = -cosine;
  if (quadrant >= 2) sine = -sine;
}

}  // namespace diffcert
