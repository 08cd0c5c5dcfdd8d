// One op of a plan on a device of kernels: made once, run for each batch.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "cuda/device_library.hpp"
#include "cuda/packs.hpp"
#include "ops/ops.hpp"

namespace diffcert::cuda {

// The batch that is run: where its buffers lie.
struct Frame {
  Device& device;
  const std::vector<Buffer>& buffers;
  float* arena;
  std::int64_t samples;
  bool half;      // activations are kept in bf16
  float* scratch; // Builder::scratch numbers a sample, for one op at a time
  float* learnt = nullptr;  // sums of the gradients of weights: Builder::learn's places

  // Buffer `id` of all samples, one behind the other; absent for kNone. An activation only through feature().
  Span<float> at(BufferId id) const {
    if (id == kNone) return {};
    const Buffer& buffer = buffers[static_cast<std::size_t>(id)];
    return {arena + (half ? buffer.half_offset : buffer.offset) * samples, buffer.elements * samples};
  }
  Span<const float> in(BufferId id) const {
    const Span<float> span = at(id);
    return {span.data, span.count};
  }
  FeatureSpan feature(const Feature& f) const {
    const Span<float> span = at(f.buffer);  // where, and how many numbers
    return {span.data, span.count, f.present() && half && buffers[static_cast<std::size_t>(f.buffer)].activation};
  }
};

using Step = std::function<void(const Frame&)>;

// What steps are made with: the device, places for what they read of the plan's weights and for tables of their own.
class Builder {
 public:
  Builder(std::shared_ptr<Device> device, const Plan& plan, const Weights& weights, bool half)
      : device_(std::move(device)), plan_(plan), half_(half), packs_(device_, weights) {}
  // The device's compute capability, 10 * major + minor.
  std::int32_t compute() const { return device_->properties().compute; }
  // Whether a feature is kept in bf16 (Frame::feature); an absent one is no hindrance.
  bool half(const Feature& f) const { return half_ && (!f.present() || plan_.buffers[static_cast<std::size_t>(f.buffer)].activation); }
  // The launch needs so many numbers a sample of Frame::scratch.
  void scratch(std::int64_t numbers) { scratch_ = std::max(scratch_, numbers); }
  std::int64_t scratch() const { return scratch_; }
  Packs& packs() { return packs_; }
  // A table that no weight changes.
  template <class T>
  Span<const T> keep(const std::vector<T>& values) {
    tables_.emplace_back(device_, static_cast<std::int64_t>(values.size() * sizeof(T)));
    device_->upload(tables_.back().data(), values.data(), tables_.back().bytes());
    return {static_cast<const T*>(tables_.back().data()), static_cast<std::int64_t>(values.size())};
  }
  std::vector<DeviceMemory> take_tables() { return std::move(tables_); }
  // A place for sums of gradients. A weight that is read as it lies has one row of `out` numbers.
  std::int64_t learn(WeightId weight, std::int64_t out, std::int64_t in = 1, std::int64_t taps = 1, float scale = 1.0f) {
    const std::int64_t first = learnt_.empty() ? 0 : learnt_.back().first + (learnt_.back().count() + 3) / 4 * 4;
    learnt_.push_back({weight, first, out, in, taps, scale});
    return first;
  }
  const std::vector<Learnt>& learnt() const { return learnt_; }

 private:
  std::shared_ptr<Device> device_;
  const Plan& plan_;
  bool half_;
  std::int64_t scratch_ = 0;
  Packs packs_;
  std::vector<DeviceMemory> tables_;
  std::vector<Learnt> learnt_;
};

Step make_step(const EmbedOp& op, Builder& builder);
Step make_step(const LinearOp& op, Builder& builder);
Step make_step(const StatsOp& op, Builder& builder);
Step make_step(const NormOp& op, Builder& builder);
Step make_step(const ConvOp& op, Builder& builder);
Step make_step(const ResampleOp& op, Builder& builder);
Step make_step(const AttentionOp& op, Builder& builder);
Step make_step(const AddOp& op, Builder& builder);
Step make_step(const DropoutOp& op, Builder& builder);
Step make_step(const LoadSumsOp& op, Builder& builder);
Step make_step(const NormBackwardOp& op, Builder& builder);
Step make_step(const PullbackOp& op, Builder& builder);
Step make_step(const AttentionBackwardOp& op, Builder& builder);
Step make_step(const SiluBackwardOp& op, Builder& builder);
Step make_step(const ChannelSumOp& op, Builder& builder);
Step make_step(const ConvGradientOp& op, Builder& builder);
Step make_step(const LinearGradientOp& op, Builder& builder);
Step make_step(const AccumulateOp& op, Builder& builder);

// Whether the fused convolution on tensor cores takes a layer, and whether that of Hopper does; the shape's word alone.
bool on_tensor_cores(const ConvOp& op, const Builder& builder);
bool on_warpgroups(const ConvOp& op, const Builder& builder);
// Whether attention on tensor cores takes a layer, there and back.
bool on_tensor_cores(const AttentionOp& op, const Builder& builder);
bool on_tensor_cores(const AttentionBackwardOp& op, const Builder& builder);

// The statistics of a feature, as a launch of their own; nothing for kNone.
void launch_statistics(const Frame& frame, const Feature& in, BufferId out);

// What a sample takes of the arena.
inline std::int64_t arena_elements(const Plan& plan, bool half) { return half ? plan.half_arena_elements : plan.arena_elements; }
inline std::int64_t elements(const Feature& f) { return std::int64_t{1} * f.height * f.width * f.channels; }

}  // namespace diffcert::cuda
