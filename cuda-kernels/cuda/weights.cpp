#include "cuda/weights.hpp"

#include <algorithm>

#include "core/arena.hpp"
#include "core/status.hpp"

namespace diffcert::cuda {
namespace {

constexpr std::int64_t kApart = 4;  // numbers: a weight begins on 16 bytes
constexpr std::int64_t kRun = 16;   // numbers of a cache line: what is turned round is turned in such runs

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

std::int64_t rounded(std::int64_t numbers) { return (numbers + kApart - 1) / kApart * kApart; }

}  // namespace

Weights::Weights(std::shared_ptr<Device> device, const Plan& plan) : device_(std::move(device)), learns_(plan.parameters) {
  for (const Weight& weight : plan.weights) {
    firsts_.push_back(total_);
    counts_.push_back(weight.count());
    total_ += rounded(weight.count());
  }
}

Span<float> Weights::place(TrainTensor kind, WeightId w) const {
  const auto number = static_cast<std::int64_t>(kind);
  float* const first = kind == TrainTensor::weight ? static_cast<float*>(values_.data()) : static_cast<float*>(others_.data()) + (number - 1) * total_;
  return {first + firsts_.at(static_cast<std::size_t>(w)), count(w)};
}

Span<const float> Weights::at(WeightId w) const {
  if (w == kNone) return {};
  invariant(values_.bytes() > 0, "weights that were let go of");
  const Span<float> own = place(TrainTensor::weight, w);
  return {own.data, own.count};
}

DeviceMemory Weights::zeros(std::int64_t numbers) const {
  DeviceMemory memory(device_, checked_product(numbers, kFloat));
  const Span<float> all{static_cast<float*>(memory.data()), numbers};
  device_->launch<Kernel::clear>({blocks(all.count, kSumThreads)}, kSumThreads, 0, {all});
  return memory;
}

void Weights::set(WeightId w, std::span<const float> data) {
  invariant(static_cast<std::int64_t>(data.size()) == count(w), "a weight of another size");
  if (values_.bytes() == 0) values_ = zeros(total_);
  device_->upload(place(TrainTensor::weight, w).data, data.data(), count(w) * kFloat);
  changed_ = true;
}

void Weights::packed() {
  changed_ = false;
  if (!learns_) values_ = {};
}

void Weights::learn(std::vector<Learnt> learnt) {
  learnt_ = std::move(learnt);
  for (std::size_t i = 0; i < learnt_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) invariant(learnt_[i].weight != learnt_[j].weight, "a weight that two ops learn");
  }
  if (!learnt_.empty()) sums_ = zeros(learnt_.back().first + learnt_.back().count());
}

void Weights::clear() {
  if (sums_.bytes() == 0) return;
  const Span<float> all{sums(), sums_.bytes() / kFloat};
  device_->launch<Kernel::clear>({blocks(all.count, kSumThreads)}, kSumThreads, 0, {all});
}

void Weights::gradient(WeightId w, std::span<double> values) const {
  std::fill(values.begin(), values.end(), 0.0);
  for (const Learnt& learnt : learnt_) {
    if (learnt.weight != w) continue;
    std::vector<float> own(static_cast<std::size_t>(learnt.count()));
    {
      const std::lock_guard hold(downloads_);
      device_->download(own.data(), sums() + learnt.first, learnt.count() * kFloat);
    }
    for (std::int64_t first = 0; first < learnt.out; first += kRun) {
      for (std::int64_t c = 0; c < learnt.in; ++c) {
        for (std::int64_t t = 0; t < learnt.taps; ++t) {
          for (std::int64_t o = first; o < std::min(first + kRun, learnt.out); ++o) {
            values[static_cast<std::size_t>((o * learnt.in + c) * learnt.taps + t)] =
                static_cast<double>(learnt.scale) * static_cast<double>(own[static_cast<std::size_t>((t * learnt.in + c) * learnt.out + o)]);
          }
        }
      }
    }
  }
}

void Weights::set(TrainTensor kind, WeightId w, std::span<const float> values) {
  invariant(learns_ && static_cast<std::int64_t>(values.size()) == count(w), "a training's tensor of another size");
  if (kind == TrainTensor::weight) return set(w, values);
  if (others_.bytes() == 0) others_ = zeros(checked_product(total_, kTrainTensors - 1));
  device_->upload(place(kind, w).data, values.data(), count(w) * kFloat);
}

void Weights::get(TrainTensor kind, WeightId w, std::span<float> values) const {
  invariant(others_.bytes() > 0 && static_cast<std::int64_t>(values.size()) == count(w), "a training's tensor of another size");
  device_->download(values.data(), place(kind, w).data, count(w) * kFloat);
}

// A weight that no op learns stays where it is, and its average follows.
void Weights::step(const AdamStep& by) {
  invariant(learns_ && others_.bytes() > 0, "a step of what does not learn");
  std::vector<const Learnt*> of(counts_.size(), nullptr);
  for (const Learnt& learnt : learnt_) of[static_cast<std::size_t>(learnt.weight)] = &learnt;
  for (std::size_t w = 0; w < counts_.size(); ++w) {
    const auto id = static_cast<WeightId>(w);
    AdamParams params{{}, {}, by, static_cast<std::int32_t>(counts_[w]), 1, 1, 1.0f};
    for (int kind = 0; kind < kTrainTensors; ++kind) params.state[kind] = place(static_cast<TrainTensor>(kind), id);
    if (const Learnt* learnt = of[w]; learnt != nullptr) {
      params.sums = {sums() + learnt->first, learnt->count()};
      params.outputs = static_cast<std::int32_t>(learnt->out), params.channels = static_cast<std::int32_t>(learnt->in);
      params.taps = static_cast<std::int32_t>(learnt->taps), params.scale = learnt->scale;
    }
    device_->launch<Kernel::adam_step>({blocks(counts_[w], kAdamThreads)}, kAdamThreads, 0, params);
  }
  changed_ = true;
}

}  // namespace diffcert::cuda
