// Brings a piece of a feature map to where a convolution reads it: norm, SiLU and resampling applied once, zeros around.
#pragma once

#include <cstdint>

#include "cpu/step.hpp"

namespace diffcert::cpu {

enum class Resampling : std::uint8_t { none, up2, down2 };

inline Resampling resampling(bool up2, bool down2) {
  return up2 ? Resampling::up2 : down2 ? Resampling::down2 : Resampling::none;
}
inline std::int64_t resampled(std::int64_t size, Resampling r) {
  return r == Resampling::up2 ? size * 2 : r == Resampling::down2 ? size / 2 : size;
}

// A block of channels of one sample's feature map, as it is loaded.
struct Source {
  const float* data = nullptr;  // at pixel (0, 0), first channel of the block
  std::int64_t height = 0, width = 0, stride = 0;  // as stored; stride between pixels
  const float* a = nullptr;     // the affine of this block, or null
  const float* b = nullptr;
  bool silu = false;
  Resampling resampling = Resampling::none;
};

// Rows [y0, y0 + rows) and columns [x0, x0 + columns) of the resampled map, to
// dst[(row * columns + column) * pixel + channel].
// A resampled map is taken whole: x0 <= 0, and its right edge is reached. spare: room for 4 * (the resampled width) * channels floats, used by down2.
void stage(const Kernels& kernels, const Source& source, std::int64_t channels, std::int64_t y0, std::int64_t rows,
           std::int64_t x0, std::int64_t columns, float* dst, std::int64_t pixel, float* spare);

}  // namespace diffcert::cpu
