// One op of a plan on a device of kernels: made once (weights packed and uploaded), run for each batch.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cuda/device_library.hpp"
#include "ops/ops.hpp"

namespace diffcert::cuda {

// The batch that is run: where its buffers lie.
struct Frame {
  Device& device;
  const std::vector<Buffer>& buffers;
  float* arena;
  std::int64_t samples;

  // Buffer `id` of all samples, one behind the other; absent for kNone.
  Span<float> at(BufferId id) const {
    if (id == kNone) return {};
    const Buffer& buffer = buffers[static_cast<std::size_t>(id)];
    return {arena + buffer.offset * samples, buffer.elements * samples};
  }
  Span<const float> in(BufferId id) const {
    const Span<float> span = at(id);
    return {span.data, span.count};
  }
  Span<const float> in(const Feature& f) const { return in(f.buffer); }
};

using Step = std::function<void(const Frame&)>;

// What steps are made with: the published weights, and a place on the device for what becomes of them.
class Builder {
 public:
  Builder(std::shared_ptr<Device> device, const std::vector<std::vector<float>>& weights, bool tensor)
      : device_(std::move(device)), weights_(weights), tensor_(tensor) {}
  // Whether products may be bf16's (on tensor cores).
  bool tensor() const { return tensor_; }
  const std::vector<float>& weight(WeightId id) const { return weights_.at(static_cast<std::size_t>(id)); }
  Span<const float> upload(WeightId id) { return id == kNone ? Span<const float>{} : keep(weight(id)); }
  template <class T>
  Span<const T> keep(const std::vector<T>& values) {
    const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
    memory_.emplace_back(device_, bytes);
    device_->upload(memory_.back().data(), values.data(), bytes);
    return {static_cast<const T*>(memory_.back().data()), static_cast<std::int64_t>(values.size())};
  }
  std::vector<DeviceMemory> take() { return std::move(memory_); }

 private:
  std::shared_ptr<Device> device_;
  const std::vector<std::vector<float>>& weights_;
  bool tensor_;
  std::vector<DeviceMemory> memory_;
};

Step make_step(const EmbedOp& op, Builder& builder);
Step make_step(const LinearOp& op, Builder& builder);
Step make_step(const StatsOp& op, Builder& builder);
Step make_step(const NormOp& op, Builder& builder);
Step make_step(const ConvOp& op, Builder& builder);
Step make_step(const ResampleOp& op, Builder& builder);
Step make_step(const AttentionOp& op, Builder& builder);
Step make_step(const AddOp& op, Builder& builder);

// The statistics of a feature, as a launch of their own; nothing for kNone.
void launch_statistics(const Frame& frame, const Feature& in, BufferId out);

inline std::uint32_t blocks(std::int64_t count, std::int64_t each) { return static_cast<std::uint32_t>((count + each - 1) / each); }
inline std::int64_t elements(const Feature& f) { return std::int64_t{1} * f.height * f.width * f.channels; }

}  // namespace diffcert::cuda
