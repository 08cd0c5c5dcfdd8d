#include "cpu/staging.hpp"

#include <algorithm>
#include <cstring>

namespace diffcert::cpu {
namespace {

void zero(float* dst, std::int64_t pixels, std::int64_t channels, std::int64_t pixel) {
  for (std::int64_t i = 0; i < pixels; ++i) std::fill_n(dst + i * pixel, channels, 0.0f);
}

void copy(float* dst, const float* src, std::int64_t channels) {
  std::memcpy(dst, src, static_cast<std::size_t>(channels) * sizeof(float));
}

}  // namespace

void stage(const Kernels& kernels, const Source& source, std::int64_t channels, std::int64_t y0, std::int64_t rows,
           std::int64_t x0, std::int64_t columns, float* dst, std::int64_t pixel, float* spare) {
  const std::int64_t height = resampled(source.height, source.resampling), width = resampled(source.width, source.resampling);
  const std::int64_t first = std::max<std::int64_t>(0, x0), count = std::min(width, x0 + columns) - first;  // of the map's columns
  const std::int64_t left = first - x0, right = columns - left - count;
  const std::int64_t line = source.width * source.stride;
  const auto activate = [&](const float* src, std::int64_t pixels, float* to, std::int64_t to_stride) {
    kernels.activate(pixels, channels, src, source.stride, to, to_stride, source.a, source.b, source.silu);
  };
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = dst + r * columns * pixel;
    const std::int64_t y = y0 + r;
    if (y < 0 || y >= height) {
      zero(row, columns, channels, pixel);
      continue;
    }
    zero(row, left, channels, pixel);
    zero(row + (left + count) * pixel, right, channels, pixel);
    float* inside = row + left * pixel;
    switch (source.resampling) {
      case Resampling::none:
        activate(source.data + y * line + first * source.stride, count, inside, pixel);
        break;
      case Resampling::up2:
        if (y % 2 == 1 && r > 0) {  // the row above is the same
          for (std::int64_t x = 0; x < width; ++x) copy(inside + x * pixel, inside + (x - columns) * pixel, channels);
          break;
        }
        activate(source.data + y / 2 * line, source.width, inside, 2 * pixel);
        for (std::int64_t x = 0; x < width; x += 2) copy(inside + (x + 1) * pixel, inside + x * pixel, channels);
        break;
      case Resampling::down2: {
        float* above = spare;
        float* below = spare + 2 * width * channels;
        activate(source.data + 2 * y * line, 2 * width, above, channels);
        activate(source.data + (2 * y + 1) * line, 2 * width, below, channels);
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t at = 2 * x * channels;
          kernels.mean4(channels, above + at, above + at + channels, below + at, below + at + channels, inside + x * pixel);
        }
        break;
      }
    }
  }
}

}  // namespace diffcert::cpu
