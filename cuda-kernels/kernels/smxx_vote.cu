// Votes of samples.
//
// Why so plain: it runs once for thousands of network calls. The least of some numbers does not depend on the order in which they are compared, the lowest
// class among equals neither, so the halving is free; a loss is one thread's sum in the order of the host's.
#include "kernels/device.cuh"
#include "kernels/smxx_vote.hpp"

namespace diffcert {

DC_KERNEL(vote, VoteParams, kVoteThreads) {
  constexpr std::int32_t kNobody = 0x7fffffff, kSpoiled = -1;
  SharedPool pool;
  const Shared<double> least = pool.take<double>("least", kVoteThreads);
  const Shared<std::int32_t> who = pool.take<std::int32_t>("who", kVoteThreads);
  const int thread = static_cast<int>(threadIdx.x), tau = static_cast<int>(blockIdx.y);
  const std::int64_t sample = blockIdx.x, cell = std::int64_t{1} * tau * p.samples + sample, size = std::int64_t{1} * p.classes * p.levels * p.taus;
  const Global<const double> residuals = Global<const double>(p.residuals).part(sample * size, size);
  const Global<const double> weights = Global<const double>(p.weights).part(std::int64_t{1} * tau * p.levels, p.levels);
  const Global<double> losses = Global<double>(p.losses).part(cell * p.classes, p.classes);

  double best = 0;
  std::int32_t label = kNobody;
  for (int c = thread; c < p.classes; c += kVoteThreads) {
    double loss = 0;
    for (int level = 0; level < p.levels; ++level) {
      const double weight = weights[level];
      if (weight > 0) loss = loss + weight * residuals[(std::int64_t{1} * c * p.levels + level) * p.taus + tau];
    }
    const bool finite = loss - loss == 0.0;
    losses[c] = finite ? loss : loss - loss;
    if (!finite) label = kSpoiled;
    if (label != kSpoiled && (label == kNobody || loss < best)) {
      best = loss;
      label = c;
    }
  }
  least[thread] = best;
  who[thread] = label;
  sync_block();
  for (int half = kVoteThreads / 2; half > 0; half /= 2) {
    if (thread < half) {
      const double other = least[thread + half];
      const std::int32_t its = who[thread + half];
      // Spoiled beats all; then the smaller loss; then the lower class.
      if (label != kSpoiled && its != kNobody && (its == kSpoiled || label == kNobody || other < best || (other == best && its < label))) {
        best = other;
        label = its;
        least[thread] = best;
        who[thread] = label;
      }
    }
    sync_block();
  }
  if (thread == 0) Global<std::int32_t>(p.votes)[cell] = Global<const std::uint8_t>(p.certain)[sample] != 0 ? label : -1;
}

}  // namespace diffcert
