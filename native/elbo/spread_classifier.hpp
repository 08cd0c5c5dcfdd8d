// One diffusion classifier on several devices: samples are split, and each vote lands where one device alone would put it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.hpp"
#include "elbo/classifier.hpp"

namespace diffcert {

// One call at a time. A vote is a pure function of its keys, so that nothing shows who cast it.
class SpreadClassifier {
 public:
  // The same classifier once a device, each over networks of its own; at least one.
  explicit SpreadClassifier(std::vector<std::unique_ptr<Classifier>> parts);

  const Classifier& one() const { return *parts_.front(); }
  Classifier& one() { return *parts_.front(); }
  // As Classifier::votes. Devices take shares of the range as they come free; the first device's error is thrown when all are done.
  void votes(std::span<const std::uint8_t> image, const SampleRange& range, std::span<std::int32_t> votes, std::span<std::int64_t> calls);

 private:
  std::vector<std::unique_ptr<Classifier>> parts_;
  ThreadPool threads_;  // one a device
};

}  // namespace diffcert
