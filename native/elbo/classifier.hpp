// A diffusion classifier under smoothing noise: votes of samples, each a pure function of (models, classifier, image, image id, phase, sample).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/noise.hpp"
#include "elbo/contest.hpp"
#include "elbo/objective.hpp"

namespace diffcert {

// Which samples of which image.
struct SampleRange {
  std::uint32_t image_id = 0;
  dc_phase phase = DC_SELECT;
  std::uint32_t from = 0, to = 0;
  std::int64_t size() const { return std::int64_t{to} - from; }
};

// One call at a time. Copies the taus; the models must stay.
class Classifier {
 public:
  // As dc_classifier_create takes them; throws DC_BAD_ARGUMENT with a sentence.
  Classifier(Network& model, Network* unconditional, dc_classifier_kind kind, bool clamp, dc_noise_mode noise, std::uint64_t seed,
             std::span<const dc_tau> taus, const PruneRule& prune, std::int64_t batch);

  std::int64_t elements() const { return objective_.elements(); }
  std::int64_t classes() const { return objective_.classes(); }
  std::int64_t tau_count() const { return static_cast<std::int64_t>(taus_.size()); }
  // The most that a sample can cost.
  std::int64_t calls_per_sample() const;
  // votes: [taus, samples]; the class of least loss, the lowest among equals, or -1. calls: [samples], the network calls that each
  // took at all taus; or empty.
  void votes(std::span<const std::uint8_t> image, const SampleRange& range, std::span<std::int32_t> votes, std::span<std::int64_t> calls);
  // losses: [taus, samples, classes], as the votes compare them (Contest::losses), for ambiguous samples too.
  void losses(std::span<const std::uint8_t> image, const SampleRange& range, std::span<double> losses);

 private:
  struct Grid {
    std::vector<double> lower, upper, weights;
  };
  struct Tau {
    double unit = 0;  // sigma in [0,1] pixel units; s_tau in EDM space is twice that
    std::optional<IntegerNoise> noise;
    std::int32_t clip_low = 0, clip_high = 0;
    Grid grid, sift;
  };
  // Taus that one pass over the network serves: all of them on a path, else one.
  struct Pass {
    std::size_t first = 0;
    std::vector<double> edm;
    std::vector<ElboLevel> levels, sift;
  };

  Grid copy(std::int64_t levels, const double* lower, const double* upper, const double* weights) const;
  Tau copy(const dc_tau& tau) const;
  Pass plan(std::size_t first, std::size_t count) const;
  std::vector<ElboLevel> plan(const Pass& pass, Grid Tau::*grid, std::size_t position) const;
  void check_prune() const;
  bool sifts() const { return prune_.kind == DC_PRUNE_PUBLISHED && prune_.keep < classes(); }
  std::int64_t group();
  // take(pass, offset, samples) for each group of samples and pass, with votes_, calls_ and, where asked for, losses_ filled in.
  template <class Take>
  void for_each_group(std::span<const std::uint8_t> image, const SampleRange& range, bool with_losses, Take take);
  void run(const Pass& pass, std::span<const std::uint8_t> image, const SampleRange& part, bool with_losses);
  void cast(const Pass& pass, const ElboJob& job, bool with_losses);
  void vote(std::int64_t samples);
  void run_contests(const Pass& pass, ElboJob& job);
  bool draw(const Pass& pass, std::span<const std::uint8_t> image, const NoiseKey& key, std::int64_t sample, std::int64_t samples);

  Objective objective_;
  dc_noise_mode mode_;
  std::uint64_t seed_;
  PruneRule prune_;
  std::vector<Tau> taus_;
  std::optional<PathNoise> path_;
  std::vector<Pass> passes_;
  // Of the group of samples and the pass at hand: positions [taus, samples, elements], losses [taus, samples, classes], votes [taus, samples], the
  // samples' keys, the contests that losses come from if classes are pruned [taus, samples], whether the noise of a sample is certain, what it
  // took; and the noise of one sample.
  std::vector<double> x_, losses_, normals_;
  std::vector<NoiseKey> keys_;
  std::vector<Contest> contests_;
  std::vector<std::uint8_t> certain_;
  std::vector<std::int32_t> votes_, integers_;
  std::vector<std::int64_t> calls_;
};

}  // namespace diffcert
