// One fused convolution as a plan of its own, with random weights and data: what the kernel benchmark times and the CPU tests
// compare with a plain float64 loop.
//
// Every buffer the op reads is a slice of the plan's image, which only works for a batch of one (buffers of several samples do
// not lie one behind the other). Larger batches are timed on whatever lies there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/device.hpp"

namespace diffcert::bench {

struct ConvShape {
  std::int32_t height = 32, width = 32, in[2] = {256, 0}, out = 256, kernel = 3, padding = 1;
  bool up2 = false, down2 = false, affine = true, silu = true;
  std::int32_t skip[2] = {0, 0};
  bool shift = true, residual = false, stats = true;
  std::int32_t residual_tail = 0;  // channels of the residual's second part
  bool residual_up2 = false, residual_down2 = false;
  float scale = 0.70710678f;

  std::int32_t out_height() const { return (up2 ? height * 2 : down2 ? height / 2 : height) + 2 * padding - kernel + 1; }
  std::int32_t out_width() const { return (up2 ? width * 2 : down2 ? width / 2 : width) + 2 * padding - kernel + 1; }
  double flops() const;  // of the direct form, one sample, multiply and add counted apart
};

// Numbers in [-1, 1], a function of the seed and the place alone.
std::vector<float> random_floats(std::int64_t count, std::uint32_t seed);

struct ConvCase {
  explicit ConvCase(const ConvShape& shape);
  ConvShape shape;
  Plan plan;
  ConvOp op;
  std::vector<std::vector<float>> weights;  // by WeightId
  std::int64_t image_elements = 0;
  // image of one sample: every buffer that the op reads, then those that it writes.
  std::vector<float> image;
  void give_weights(Executor& executor) const;
  // The op in float64, straight from its definition in ops.hpp.
  std::vector<double> expected() const;
  std::span<const float> slice(BufferId buffer) const;
};

}  // namespace diffcert::bench
