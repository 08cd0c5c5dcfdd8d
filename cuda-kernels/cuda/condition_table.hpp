// What a plan computes of (noise level, class) alone, kept on the device: computed once a pair, handed to each row.
#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "cuda/step.hpp"
#include "unet/split.hpp"

namespace diffcert::cuda {

class ConditionTable {
 public:
  // The noise level as the network takes it, and the label, -1 for none.
  using Condition = std::pair<float, std::int32_t>;

  // capacity: elements (4 bytes) of device memory; a batch that needs more gets what it needs. steps: of the whole plan, and must stay, as the split.
  ConditionTable(std::shared_ptr<Device> device, const SplitPlan& split, const std::vector<Step>& steps, std::int64_t capacity);

  // Where the entries of these rows lie, computed if they are not there yet. Valid until the next call.
  std::vector<TablePlace> places(std::span<const Condition> rows);
  Span<const float> memory() const { return {static_cast<const float*>(memory_.data()), size_}; }
  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  void allocate(std::int64_t least);
  void compute(std::span<const Condition> missing);

  std::shared_ptr<Device> device_;
  const SplitPlan& split_;
  const std::vector<Step>& steps_;
  DeviceMemory memory_;
  std::int64_t capacity_, size_ = 0, used_ = 0;  // elements
  std::map<Condition, TablePlace> known_;
};

}  // namespace diffcert::cuda
