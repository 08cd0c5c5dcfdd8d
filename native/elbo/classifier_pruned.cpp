// Votes of a classifier that drops classes on the way: contests of many samples go through the levels together.
#include <algorithm>

#include "elbo/classifier.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kContestBudget = std::int64_t{64} << 20;  // bytes

}  // namespace

// Samples that are worked on together: as the objective asks, and contests within a fixed budget of memory.
std::int64_t Classifier::group() {
  if (prune_.kind == DC_PRUNE_NONE && objective_.casts_votes()) {
    std::int64_t group = objective_.group();
    for (const Pass& pass : passes_) {
      group = std::min(group, objective_.cast_group(static_cast<std::int64_t>(pass.levels.size()), static_cast<std::int64_t>(pass.edm.size())));
    }
    return group;
  }
  if (prune_.kind == DC_PRUNE_NONE) return objective_.group();
  std::int64_t cells = 0;
  for (const Pass& pass : passes_) {
    cells = std::max(cells, static_cast<std::int64_t>(pass.edm.size() * (taus_[pass.first].grid.upper.size() + 2)) * classes());
  }
  return std::clamp<std::int64_t>(kContestBudget / (cells * static_cast<std::int64_t>(sizeof(double))), 1, objective_.group());
}

// The samples go through the levels side by side, so that rows of many samples share batches; no contest looks at another one. A row is computed
// if any tau of its sample needs it, and a tau takes only what its own contest asked for: what is dropped at one tau cannot show at another.
void Classifier::run_contests(const Pass& pass, ElboJob& job) {
  const std::size_t taus = pass.edm.size(), samples = static_cast<std::size_t>(job.samples), refined = taus_[pass.first].grid.upper.size();
  contests_.assign(taus * samples, Contest(objective_.classes(), refined));
  const auto weight = [&](std::size_t tau, std::uint32_t position) {
    const Tau& at = taus_[pass.first + tau];
    return position < refined ? at.grid.weights[position] : at.sift.weights[position - refined];
  };
  const auto needs = [&](const Contest& contest, std::size_t tau, std::uint32_t position) {
    return weight(tau, position) > 0 && !contest.decided() &&
           (position < refined || static_cast<std::int32_t>(contest.alive().size()) > prune_.keep);
  };
  const ElboLevel* at = nullptr;
  std::vector<std::uint8_t> wanted(static_cast<std::size_t>(classes()));
  std::vector<std::int32_t> labels;
  job.labels = [&](std::int64_t sample) -> std::span<const std::int32_t> {
    std::fill(wanted.begin(), wanted.end(), 0);
    labels.clear();
    for (std::size_t t = 0; t < taus; ++t) {
      const Contest& contest = contests_[t * samples + static_cast<std::size_t>(sample)];
      if (!needs(contest, t, at->position)) continue;
      for (const std::int32_t label : contest.alive()) wanted[static_cast<std::size_t>(label)] = 1;
    }
    for (std::int32_t label = 0; label < objective_.classes(); ++label) {
      if (wanted[static_cast<std::size_t>(label)] != 0) labels.push_back(label);
    }
    return labels;
  };
  job.take = [&](std::int64_t tau, std::int64_t sample, std::int32_t label, std::uint32_t position, double residual) {
    Contest& contest = contests_[static_cast<std::size_t>(tau) * samples + static_cast<std::size_t>(sample)];
    if (!needs(contest, static_cast<std::size_t>(tau), position)) return;
    const double term = weight(static_cast<std::size_t>(tau), position) * residual;
    if (position < refined) contest.take(label, position, term);
    else contest.take_sifting(label, term);
  };
  // One level for all samples; then each contest that took part is told.
  const auto run_level = [&](const ElboLevel& level, auto after) {
    at = &level;
    std::vector<std::uint8_t> took(contests_.size());
    for (std::size_t c = 0; c < contests_.size(); ++c) took[c] = needs(contests_[c], c / samples, level.position);
    objective_.run_level(job, level);
    objective_.flush(job);
    for (std::size_t c = 0; c < contests_.size(); ++c) {
      if (took[c] != 0) after(contests_[c], c / samples);
    }
  };
  objective_.estimate(job);
  if (sifts()) {
    for (const ElboLevel& level : pass.sift) {
      run_level(level, [&](Contest& contest, std::size_t) { contest.drop_above(prune_.threshold); });
    }
    for (Contest& contest : contests_) contest.keep_best(prune_.keep);
  }
  std::vector<std::size_t> levels(taus);
  for (std::size_t t = 0; t < taus; ++t) {
    for (const ElboLevel& level : pass.levels) levels[t] += weight(t, level.position) > 0 ? 1 : 0;
  }
  const double z = normal_bound(prune_.error, objective_.classes());
  for (const std::size_t i : interleaved(pass.levels.size())) {
    const ElboLevel& level = pass.levels[i];
    run_level(level, [&](Contest& contest, std::size_t tau) {
      contest.level_done(level.position);
      if (prune_.kind == DC_PRUNE_PAIRED) contest.drop_behind(z, levels[tau]);
    });
  }
  for (std::size_t c = 0; c < contests_.size(); ++c) {
    contests_[c].losses({losses_.data() + c * static_cast<std::size_t>(classes()), static_cast<std::size_t>(classes())});
  }
}

}  // namespace diffcert
