// F(4x4,3x3): the transforms around the 36 products. 4x fewer multiplications than the direct form; the transforms do 0 useful
// FLOPs, so they pay from about 16 channels on. Relative error about 3e-6 against 3e-7 of the direct form, from the points
// 0, 1, -1, 2, -2; small beside what a vote resolves, and the same on every machine.
//
// Sixteen channels a step, one pixel a register: the first pass takes columns, the second rows; all sums in the written order.
#pragma once

#include "cpu/simd.hpp"

namespace diffcert::cpu {
namespace {

DIFFCERT_INLINE void input_line(const F16 (&d)[6], F16 (&t)[6]) {
  const F16 four = set1(4.0f), minus4 = set1(-4.0f), minus5 = set1(-5.0f), two = set1(2.0f);
  const F16 p = fma(minus4, d[2], d[4]), q = fma(minus4, d[1], d[3]);
  const F16 r = d[4] - d[2], s = two * (d[3] - d[1]);
  t[0] = fma(four, d[0], fma(minus5, d[2], d[4]));
  t[1] = p + q;
  t[2] = p - q;
  t[3] = r + s;
  t[4] = r - s;
  t[5] = fma(four, d[1], fma(minus5, d[3], d[5]));
}

DIFFCERT_INLINE void output_line(const F16 (&m)[6], F16 (&y)[4]) {
  const F16 s = m[1] + m[2], d = m[1] - m[2], p = m[3] + m[4], q = m[3] - m[4];
  y[0] = (m[0] + s) + p;
  y[1] = fma(set1(2.0f), q, d);
  y[2] = fma(set1(4.0f), p, s);
  y[3] = fma(set1(8.0f), q, d) + m[5];
}

void winograd_input(std::int64_t channels, const float* src, std::int64_t row, std::int64_t pixel, float* v,
                    std::int64_t plane) {
  for (std::int64_t c = 0; c < channels; c += 16) {
    F16 half[6][6];
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) {
      F16 d[6], t[6];
#pragma GCC unroll 6
      for (int y = 0; y < 6; ++y) d[y] = load(src + y * row + x * pixel + c);
      input_line(d, t);
#pragma GCC unroll 6
      for (int y = 0; y < 6; ++y) half[y][x] = t[y];
    }
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) {
      F16 t[6];
      input_line(half[y], t);
#pragma GCC unroll 6
      for (int x = 0; x < 6; ++x) store(v + (y * 6 + x) * plane + c, t[x]);
    }
  }
}

// The transpose of output_line.
DIFFCERT_INLINE void gradient_line(const F16 (&y)[4], F16 (&t)[6]) {
  const F16 even = y[0] + y[2], odd = y[1] + y[3];
  const F16 far = fma(set1(4.0f), y[2], y[0]), farther = fma(set1(8.0f), y[3], set1(2.0f) * y[1]);
  t[0] = y[0];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = far + farther;
  t[4] = far - farther;
  t[5] = y[3];
}

void winograd_gradient(const float* src, std::int64_t row, std::int64_t pixel, int rows, int columns, float* v, std::int64_t plane) {
  const F16 zero = set1(0.0f);
  F16 half[6][4];
#pragma GCC unroll 4
  for (int x = 0; x < 4; ++x) {
    F16 y[4], t[6];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) y[i] = x < columns && i < rows ? load(src + i * row + x * pixel) : zero;
    gradient_line(y, t);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) half[i][x] = t[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    F16 t[6];
    gradient_line(half[i], t);
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) store(v + (i * 6 + x) * plane, t[x]);
  }
}

DIFFCERT_INLINE void finish_pixel(F16 value, F16 bias, float* out, const float* residual, bool prior, F16 scale,
                                  std::int64_t count) {
  value = value + bias;
  if (prior) value = value + load_some(out, count);
  if (residual) value = value + load_some(residual, count);
  store_some(out, scale * value, count);
}

void winograd_output(std::int64_t channels, const float* m, std::int64_t plane, float* out, std::int64_t row,
                     std::int64_t pixel, int rows, int columns, const Finish& finish) {
  const F16 scale = set1(finish.scale);
  for (std::int64_t c = 0; c < channels; c += 16) {
    F16 half[4][6];
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) {
      F16 d[6], y[4];
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) d[i] = load(m + (i * 6 + x) * plane + c);
      output_line(d, y);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) half[i][x] = y[i];
    }
    const F16 bias = load(finish.bias + c);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      if (i >= rows) break;
      F16 y[4];
      output_line(half[i], y);
#pragma GCC unroll 4
      for (int x = 0; x < 4; ++x) {
        if (x >= columns) break;
        const std::int64_t at = i * row + x * pixel + c;
        finish_pixel(y[x], bias, out + at, finish.residual ? finish.residual + at : nullptr, finish.prior, scale, 16);
      }
    }
  }
}

}  // namespace
}  // namespace diffcert::cpu
