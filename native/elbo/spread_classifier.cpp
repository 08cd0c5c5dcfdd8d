#include "elbo/spread_classifier.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/status.hpp"

namespace diffcert {
namespace {

// Shares a device: more of them even out devices of unlike speed, fewer leave fewer batches half full at a share's end.
constexpr std::int64_t kShares = 4;

}  // namespace

SpreadClassifier::SpreadClassifier(std::vector<std::unique_ptr<Classifier>> parts)
    : parts_(std::move(parts)), threads_(static_cast<int>(parts_.size())) {}

void SpreadClassifier::votes(std::span<const std::uint8_t> image, const SampleRange& range, std::span<std::int32_t> votes,
                             std::span<std::int64_t> calls) {
  if (parts_.size() == 1) {
    one().votes(image, range, votes, calls);
    return;
  }
  const std::int64_t taus = one().tau_count();
  require(range.from <= range.to, "A range of samples ends before it begins.");
  require(static_cast<std::int64_t>(votes.size()) == taus * range.size(), "The place for votes has another size than the samples.");
  require(calls.empty() || static_cast<std::int64_t>(calls.size()) == range.size(), "The place for calls has another size than the samples.");
  const std::int64_t shares = std::min<std::int64_t>(range.size(), kShares * static_cast<std::int64_t>(parts_.size()));
  std::atomic<std::int64_t> next{0};
  threads_.run([&](int device) {
    std::vector<std::int32_t> own;
    for (std::int64_t share = next++; share < shares; share = next++) {
      const std::int64_t from = range.size() * share / shares, to = range.size() * (share + 1) / shares;
      SampleRange part = range;
      part.from = range.from + static_cast<std::uint32_t>(from);
      part.to = range.from + static_cast<std::uint32_t>(to);
      own.resize(static_cast<std::size_t>(taus * (to - from)));
      try {
        parts_[static_cast<std::size_t>(device)]->votes(
            image, part, own, calls.empty() ? calls : calls.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
      } catch (...) {
        next = shares;  // nobody begins anything more
        throw;
      }
      for (std::int64_t t = 0; t < taus; ++t) std::copy_n(own.data() + t * (to - from), to - from, votes.data() + t * range.size() + from);
    }
  });
}

}  // namespace diffcert
