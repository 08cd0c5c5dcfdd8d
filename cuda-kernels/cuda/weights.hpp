// A plan's weights on the device as they are published, whence the kernels' own forms are packed; and, for a plan that learns, what training keeps beside
// them: sums of gradients, moments, average. So a step of training moves no weight between host and device.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "cuda/device_library.hpp"
#include "ops/device.hpp"

namespace diffcert::cuda {

// The sum of a weight's gradients that one op keeps on the device, at `first` of Weights::sums: [taps][in][out] for a weight [out][in][taps], to be
// multiplied by scale when it is read. One op a weight.
struct Learnt {
  WeightId weight;
  std::int64_t first, out, in, taps;
  float scale;
  std::int64_t count() const { return out * in * taps; }
};

class Weights final : public Learner {
 public:
  Weights(std::shared_ptr<Device> device, const Plan& plan);

  // Before packing: all of them. A plan that does not learn lets go of them after it.
  void set(WeightId w, std::span<const float> data);
  std::int64_t count(WeightId w) const { return counts_.at(static_cast<std::size_t>(w)); }
  // Where weight w lies; absent for kNone.
  Span<const float> at(WeightId w) const;
  // Whether they are newer than what was packed of them; and that they were packed.
  bool changed() const { return changed_; }
  void packed();

  // What the plan's ops learn, and where their sums lie; these are zero from here on, and after clear.
  void learn(std::vector<Learnt> learnt);
  float* sums() const { return static_cast<float*>(sums_.data()); }
  void clear();
  // Several threads may ask at once.
  void gradient(WeightId w, std::span<double> values) const;

  void set(TrainTensor kind, WeightId w, std::span<const float> values) override;
  void get(TrainTensor kind, WeightId w, std::span<float> values) const override;
  void step(const AdamStep& by) override;

  std::int64_t bytes() const { return values_.bytes() + others_.bytes() + sums_.bytes(); }

 private:
  Span<float> place(TrainTensor kind, WeightId w) const;
  DeviceMemory zeros(std::int64_t numbers) const;

  std::shared_ptr<Device> device_;
  bool learns_;
  std::vector<std::int64_t> firsts_, counts_;  // by weight
  std::int64_t total_ = 0;
  std::vector<Learnt> learnt_;
  DeviceMemory values_, others_, sums_;  // others: moments and average
  bool changed_ = false;
  mutable std::mutex downloads_;
};

}  // namespace diffcert::cuda
