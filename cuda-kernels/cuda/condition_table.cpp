#include "cuda/condition_table.hpp"

#include <algorithm>

#include "core/arena.hpp"
#include "core/status.hpp"

namespace diffcert::cuda {

ConditionTable::ConditionTable(std::shared_ptr<Device> device, const SplitPlan& split, const std::vector<Step>& steps, std::int64_t capacity)
    : device_(std::move(device)), split_(split), steps_(steps), capacity_(capacity) {}

std::vector<TablePlace> ConditionTable::places(std::span<const Condition> rows) {
  const auto missing_of = [&] {
    std::vector<Condition> missing;
    for (const Condition& row : rows) {
      if (!known_.contains(row)) missing.push_back(row);
    }
    std::sort(missing.begin(), missing.end());
    missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
    return missing;
  };
  std::vector<Condition> missing = missing_of();
  const auto needed = [&] { return checked_product(split_.table.arena_elements, static_cast<std::int64_t>(missing.size())); };
  if (used_ + needed() > size_) {
    // Full, or not there yet: begin anew.
    known_.clear();
    used_ = 0;
    missing = missing_of();
    if (needed() > size_) allocate(needed());
  }
  if (!missing.empty()) compute(missing);
  std::vector<TablePlace> places;
  places.reserve(rows.size());
  for (const Condition& row : rows) places.push_back(known_.at(row));
  return places;
}

// A table larger than a batch needs is a convenience: where it does not fit, the batch's own share is enough.
void ConditionTable::allocate(std::int64_t least) {
  size_ = 0;
  memory_ = {};
  for (std::int64_t size = std::max(least, capacity_);; size = std::max(least, size / 2)) {
    try {
      memory_ = DeviceMemory(device_, checked_product(size, sizeof(float)));
      size_ = size;
      return;
    } catch (const Error& e) {
      if (e.status != DC_OUT_OF_MEMORY || size == least) throw;
    }
  }
}

// One page: the table's ops over all the missing pairs as a batch.
void ConditionTable::compute(std::span<const Condition> missing) {
  const auto count = static_cast<std::int64_t>(missing.size());
  const Frame page{*device_, split_.table.buffers, static_cast<float*>(memory_.data()) + used_, count, false, nullptr};
  const std::int64_t classes = split_.table.label_dim;
  std::vector<float> noise_labels, labels(static_cast<std::size_t>(count * classes), 0.0f);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [noise_label, label] = missing[static_cast<std::size_t>(i)];
    noise_labels.push_back(noise_label);
    if (label >= 0 && classes > 0) labels[static_cast<std::size_t>(i * classes + label)] = 1.0f;
  }
  const auto give = [&](BufferId to, const std::vector<float>& values) {
    if (to != kNone) device_->upload(page.at(to).data, values.data(), static_cast<std::int64_t>(values.size() * sizeof(float)));
  };
  give(split_.table.noise_label, noise_labels);
  give(split_.table.label, labels);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (split_.of_table[i] != 0) steps_[i](page);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    known_[missing[static_cast<std::size_t>(i)]] = {used_, static_cast<std::int32_t>(count), static_cast<std::int32_t>(i)};
  }
  used_ += split_.table.arena_elements * count;
}

}  // namespace diffcert::cuda
