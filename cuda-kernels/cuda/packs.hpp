// What kernels read of a plan's weights: places on the device, and the launches that fill them from the published form, again after every step of a
// training. Places stay where they are, so graphs that name them do.
#pragma once

#include <functional>
#include <vector>

#include "cuda/weights.hpp"
#include "ops/ops.hpp"

namespace diffcert::cuda {

class Packs {
 public:
  Packs(std::shared_ptr<Device> device, const Weights& weights) : device_(std::move(device)), weights_(&weights) {}

  // As published; absent for kNone. Or the sum of two, either of which may be kNone.
  Span<const float> copy(WeightId w) { return w == kNone ? Span<const float>{} : sum(w, kNone); }
  Span<const float> sum(WeightId a, WeightId b);
  // W[outputs][channels][taps] as [taps][channels][outputs].
  Span<const float> outputs_last(WeightId w, std::int32_t outputs, std::int32_t channels, std::int32_t taps, bool transposed);
  // The weights of a convolution for tensor cores, of a kernel `side` wide with up2 done: by warps (TensorConvParams), by warpgroups (GroupConvParams).
  Span<const Bf16> tensor(const ConvOp& op, std::int32_t side);
  Span<const Bf16> group(const ConvOp& op, std::int32_t side);

  // Fills all places, in the stream's order; the weights must be there until then.
  void run() const;
  std::int64_t bytes() const;

 private:
  template <class T>
  Span<T> room(std::int64_t count);
  Span<const Bf16> tiled(const ConvOp& op, std::int32_t side, std::int32_t depth, std::int32_t band, std::int32_t bands, std::int32_t grain);

  std::shared_ptr<Device> device_;
  const Weights* weights_;
  std::vector<DeviceMemory> memory_;
  std::vector<std::function<void()>> launches_;
};

}  // namespace diffcert::cuda
