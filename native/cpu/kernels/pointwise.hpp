// The kernels that touch each element once or twice: loads with norm and SiLU, stores with bias and residual, statistics, softmax.
// All are bound by memory or by the exponential (about 20 instructions a register of elements); channels are lanes, pixels are
// steps, so every sum over pixels has one order.
#pragma once

#include "cpu/kernels/winograd.hpp"
#include "cpu/simd.hpp"

namespace diffcert::cpu {
namespace {

template <bool Affine, bool Silu>
void activate_as(std::int64_t pixels, std::int64_t channels, const float* src, std::int64_t src_stride, float* dst,
                 std::int64_t dst_stride, const float* a, const float* b) {
  DIFFCERT_FOR_LANES(c, count, channels) {
    F16 slope = set1(1.0f), offset = set1(0.0f);
    if constexpr (Affine) {
      slope = load_some(a + c, count);
      offset = load_some(b + c, count);
    }
    for (std::int64_t i = 0; i < pixels; ++i) {
      F16 v = load_some(src + i * src_stride + c, count);
      if constexpr (Affine) v = fma(slope, v, offset);
      if constexpr (Silu) v = swish(v);
      store_some(dst + i * dst_stride + c, v, count);
    }
  }
}

void activate(std::int64_t pixels, std::int64_t channels, const float* src, std::int64_t src_stride, float* dst,
              std::int64_t dst_stride, const float* a, const float* b, bool silu) {
  if (a && silu) {
    activate_as<true, true>(pixels, channels, src, src_stride, dst, dst_stride, a, b);
  } else if (a) {
    activate_as<true, false>(pixels, channels, src, src_stride, dst, dst_stride, a, b);
  } else if (silu) {
    activate_as<false, true>(pixels, channels, src, src_stride, dst, dst_stride, a, b);
  } else {
    activate_as<false, false>(pixels, channels, src, src_stride, dst, dst_stride, a, b);
  }
}

void finish_rows(std::int64_t pixels, std::int64_t channels, const float* value, std::int64_t value_stride, float* out,
                 std::int64_t out_stride, const Finish& finish) {
  const F16 scale = set1(finish.scale);
  DIFFCERT_FOR_LANES(c, count, channels) {
    const F16 bias = load_some(finish.bias + c, count);
    for (std::int64_t i = 0; i < pixels; ++i) {
      const std::int64_t at = i * out_stride + c;
      finish_pixel(load_some(value + i * value_stride + c, count), bias, out + at,
                   finish.residual ? finish.residual + at : nullptr, finish.prior, scale, count);
    }
  }
}

// Sixteen doubles kept as an array: only touched once a row.
struct Total {
  double v[16] = {};
  void add(F16 x) {
    float lane[16];
    store(lane, x);
    for (int i = 0; i < 16; ++i) v[i] += static_cast<double>(lane[i]);
  }
  F16 over(double count) const {
    float lane[16];
    for (int i = 0; i < 16; ++i) lane[i] = static_cast<float>(v[i] / count);
    return load(lane);
  }
};

void statistics(std::int64_t height, std::int64_t width, std::int64_t channels, const float* in, std::int64_t stride,
                float* mean, float* m2) {
  DIFFCERT_FOR_LANES(c, count, channels) {
    Total total;
    for (std::int64_t y = 0; y < height; ++y) {
      const float* row = in + y * width * stride + c;
      F16 sum = set1(0.0f);
      for (std::int64_t x = 0; x < width; ++x) sum = sum + load_some(row + x * stride, count);
      total.add(sum);
    }
    const F16 middle = total.over(static_cast<double>(height) * static_cast<double>(width));
    Total squares;
    for (std::int64_t y = 0; y < height; ++y) {
      const float* row = in + y * width * stride + c;
      F16 sum = set1(0.0f);
      for (std::int64_t x = 0; x < width; ++x) {
        const F16 d = load_some(row + x * stride, count) - middle;
        sum = fma(d, d, sum);
      }
      squares.add(sum);
    }
    store_some(mean + c, middle, count);
    store_some(m2 + c, squares.over(1.0), count);
  }
}

void softmax(std::int64_t n, float* row, float scale) {
  F16 most = set1(-__builtin_inff());
  DIFFCERT_FOR_LANES(i, count, n) { most = max(most, count == 16 ? load(row + i) : load_n(row + i, count, row[0])); }
  const F16 top = set1(max_lanes(most)), factor = set1(scale);
  F16 sum = set1(0.0f);
  DIFFCERT_FOR_LANES(i, count, n) {
    const F16 x = factor * (load_some(row + i, count) - top);
    const F16 e = fma(set1(0.0f), x, exponential(x));  // adds 0, or shows a NaN
    store_some(row + i, e, count);
    sum = sum + load_some(row + i, count);  // lanes beyond the row count as zeros
  }
  const F16 share = set1(1.0f / sum_lanes(sum));
  DIFFCERT_FOR_LANES(i, count, n) { store_some(row + i, load_some(row + i, count) * share, count); }
}

void silu(std::int64_t n, float* values) {
  DIFFCERT_FOR_LANES(i, count, n) { store_some(values + i, swish(load_some(values + i, count)), count); }
}

void add(std::int64_t n, const float* a, const float* b, float scale, float* out) {
  const F16 factor = set1(scale);
  DIFFCERT_FOR_LANES(i, count, n) {
    store_some(out + i, factor * (load_some(a + i, count) + load_some(b + i, count)), count);
  }
}

void axpy(std::int64_t n, float factor, const float* in, float* out) {
  const F16 f = set1(factor);
  DIFFCERT_FOR_LANES(i, count, n) {
    store_some(out + i, fma(f, load_some(in + i, count), load_some(out + i, count)), count);
  }
}

void mean4(std::int64_t n, const float* a, const float* b, const float* c, const float* d, float* out) {
  const F16 quarter = set1(0.25f);
  DIFFCERT_FOR_LANES(i, count, n) {
    const F16 top = load_some(a + i, count) + load_some(b + i, count);
    const F16 bottom = load_some(c + i, count) + load_some(d + i, count);
    store_some(out + i, quarter * (top + bottom), count);
  }
}

}  // namespace
}  // namespace diffcert::cpu
