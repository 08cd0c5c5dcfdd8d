// One op of a plan on a device of kernels: made once (weights packed and uploaded), run for each batch.
#pragma once

#include <algorithm>
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

// The sum of a weight's gradients that one op keeps on the device, at `first` of Frame::learnt: [taps][in][out] for a weight [out][in][taps], to be
// multiplied by scale when it is read.
struct Learnt {
  WeightId weight;
  std::int64_t first, out, in, taps;
  float scale;
  std::int64_t count() const { return out * in * taps; }
};

// What steps are made with: the published weights, and a place on the device for what becomes of them.
class Builder {
 public:
  // old: what a builder of the same plan took before, to be filled again.
  Builder(std::shared_ptr<Device> device, const Plan& plan, const std::vector<std::vector<float>>& weights, bool half, std::vector<DeviceMemory> old = {})
      : device_(std::move(device)), plan_(plan), weights_(weights), half_(half), old_(std::move(old)) {}
  // The device's compute capability, 10 * major + minor.
  std::int32_t compute() const { return device_->properties().compute; }
  // Whether a feature is kept in bf16 (Frame::feature); an absent one is no hindrance.
  bool half(const Feature& f) const { return half_ && (!f.present() || plan_.buffers[static_cast<std::size_t>(f.buffer)].activation); }
  // The launch needs so many numbers a sample of Frame::scratch.
  void scratch(std::int64_t numbers) { scratch_ = std::max(scratch_, numbers); }
  std::int64_t scratch() const { return scratch_; }
  const std::vector<float>& weight(WeightId id) const { return weights_.at(static_cast<std::size_t>(id)); }
  Span<const float> upload(WeightId id) { return id == kNone ? Span<const float>{} : keep(weight(id)); }
  template <class T>
  Span<const T> keep(const std::vector<T>& values) {
    const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
    const std::size_t i = memory_.size();
    if (i < old_.size() && old_[i].bytes() == bytes) {
      memory_.push_back(std::move(old_[i]));
    } else {
      memory_.emplace_back(device_, bytes);
      moved_ = true;
    }
    device_->upload(memory_.back().data(), values.data(), bytes);
    return {static_cast<const T*>(memory_.back().data()), static_cast<std::int64_t>(values.size())};
  }
  std::vector<DeviceMemory> take() { return std::move(memory_); }
  // Whether something lies where nothing of the old lay.
  bool moved() const { return moved_; }
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
  const std::vector<std::vector<float>>& weights_;
  bool half_;
  bool moved_ = false;
  std::int64_t scratch_ = 0;
  std::vector<DeviceMemory> old_, memory_;
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

// The statistics of a feature, as a launch of their own; nothing for kNone.
void launch_statistics(const Frame& frame, const Feature& in, BufferId out);

inline std::uint32_t blocks(std::int64_t count, std::int64_t each) { return static_cast<std::uint32_t>((count + each - 1) / each); }
// What a sample takes of the arena.
inline std::int64_t arena_elements(const Plan& plan, bool half) { return half ? plan.half_arena_elements : plan.arena_elements; }
inline std::int64_t elements(const Feature& f) { return std::int64_t{1} * f.height * f.width * f.channels; }

}  // namespace diffcert::cuda
