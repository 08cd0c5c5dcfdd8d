#include "elbo/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/status.hpp"

namespace diffcert {
namespace {

// Far beyond any noise or clip; keeps sums of integers within 32 bits.
constexpr std::int64_t kMaxInteger = 1 << 24;
constexpr std::int64_t kMaxThresholds = 1 << 24;
constexpr double kMaxLevel = 1e6;

bool is_nan(double value) { return std::isnan(value); }
bool in_range(double value, double least, double most) { return value >= least && value <= most; }

}  // namespace

Classifier::Classifier(Network& model, Network* unconditional, dc_classifier_kind kind, bool clamp, dc_noise_mode noise,
                       std::uint64_t seed, std::span<const dc_tau> taus, const PruneRule& prune, std::int64_t batch)
    : objective_(model, unconditional, kind, clamp, batch <= 0 ? model.max_batch() : std::min(batch, model.max_batch())), mode_(noise), seed_(seed),
      prune_(prune) {
  require(!taus.empty(), "A classifier needs at least one smoothing level.");
  check_prune();
  for (const dc_tau& tau : taus) {
    taus_.push_back(copy(tau));
    require(taus_.size() == 1 || taus_.back().unit > taus_[taus_.size() - 2].unit, "The smoothing levels must ascend.");
  }
  if (mode_ == DC_NOISE_PATH) {
    require(kind == DC_EPNDC, "Path noise serves epndc alone: the other classifiers read more than one position of the path.");
    std::vector<double> units;
    for (const Tau& tau : taus_) {
      units.push_back(tau.unit);
      for (const auto grid : {&Tau::grid, &Tau::sift}) {
        require((tau.*grid).lower == (taus_[0].*grid).lower && (tau.*grid).upper == (taus_[0].*grid).upper,
                "On path noise all smoothing levels share one list of levels.");
      }
    }
    require(PathNoise::accepts(units), "Path noise takes 1 to 16 smoothing levels of at most 2.");
    path_.emplace(units);
    passes_.push_back(plan(0, taus_.size()));
  } else {
    for (std::size_t t = 0; t < taus_.size(); ++t) passes_.push_back(plan(t, 1));
  }
}

void Classifier::check_prune() const {
  require(prune_.kind == DC_PRUNE_NONE || !objective_.multi_head(),
          "A multi-head model computes all classes in one call, so that pruning would save none of them; leave it out.");
  if (prune_.kind == DC_PRUNE_PUBLISHED) {
    require(in_range(prune_.threshold, 0, std::numeric_limits<double>::max()), "The threshold of sifting must be finite and not negative.");
    require(prune_.keep >= 1, "Sifting keeps at least one class.");
  }
  require(prune_.kind != DC_PRUNE_PAIRED || in_range(prune_.error, 0, 0.5), "The error of paired pruning must be 0 to 0.5.");
}

Classifier::Grid Classifier::copy(std::int64_t levels, const double* lower, const double* upper, const double* weights) const {
  require(levels >= 1 && levels <= std::int64_t{kMaxNoiseIndex} + 1, "A smoothing level needs 1 to 65536 noise levels.");
  require(lower != nullptr && upper != nullptr && weights != nullptr, "The levels or weights of a smoothing level are missing.");
  return {{lower, lower + levels}, {upper, upper + levels}, {weights, weights + levels}};
}

Classifier::Tau Classifier::copy(const dc_tau& tau) const {
  require(in_range(tau.sigma, 1e-6, 16), "A smoothing level must be above 0 and at most 16, in [0,1] pixel units.");
  Tau own;
  own.unit = tau.sigma;
  own.grid = copy(tau.levels, tau.lower, tau.upper, tau.weights);
  if (prune_.kind == DC_PRUNE_PUBLISHED) {
    own.sift = copy(tau.sift_levels, tau.sift_lower, tau.sift_upper, tau.sift_weights);
    require(tau.levels + tau.sift_levels <= std::int64_t{kMaxNoiseIndex} + 1, "The levels and those that sift are more than 65536 together.");
  }
  if (mode_ != DC_NOISE_FLOAT) {
    require(tau.clip_low >= -kMaxInteger && tau.clip_low < tau.clip_high && tau.clip_high <= kMaxInteger,
            "The clip of a smoothing level is not a range.");
    own.clip_low = tau.clip_low;
    own.clip_high = tau.clip_high;
  }
  if (mode_ == DC_NOISE_INTEGER) {
    require(tau.thresholds != nullptr && tau.threshold_count >= 1 && tau.threshold_count <= kMaxThresholds &&
                std::abs(std::int64_t{tau.threshold_origin}) <= kMaxInteger,
            "Integer noise needs a threshold table.");
    const std::span<const std::uint64_t> table(tau.thresholds, static_cast<std::size_t>(tau.threshold_count));
    require(std::is_sorted(table.begin(), table.end()), "The thresholds of integer noise must ascend.");
    own.noise.emplace(table, tau.threshold_origin);
  }
  return own;
}

Classifier::Pass Classifier::plan(std::size_t first, std::size_t count) const {
  Pass pass;
  pass.first = first;
  for (std::size_t t = first; t < first + count; ++t) pass.edm.push_back(2 * taus_[t].unit);
  pass.levels = plan(pass, &Tau::grid, 0);
  if (prune_.kind == DC_PRUNE_PUBLISHED) pass.sift = plan(pass, &Tau::sift, taus_[first].grid.upper.size());
  return pass;
}

// The levels of a grid, whose noise is keyed from the given position on. A level is in the pass if a tau weighs it; x_u starts from the largest
// such tau, so that what a tau reads lies at its own position or later on the path.
std::vector<ElboLevel> Classifier::plan(const Pass& pass, Grid Tau::*grid, std::size_t position) const {
  std::vector<ElboLevel> levels;
  const bool reads_tau = objective_.kind() != DC_DC && objective_.kind() != DC_APNDC_ENSEMBLE;
  const Grid& ends = taus_[pass.first].*grid;
  for (std::size_t i = 0; i < ends.upper.size(); ++i) {
    ElboLevel level{static_cast<std::uint32_t>(position + i), ends.lower[i], ends.upper[i], kNone};
    for (std::size_t t = 0; t < pass.edm.size(); ++t) {
      const double weight = (taus_[pass.first + t].*grid).weights[i];
      require(in_range(weight, 0, 1e300), "A weight must be finite and not negative.");
      if (weight == 0) continue;
      level.base = static_cast<std::int32_t>(t);
      require(level.upper > 0 && level.upper <= kMaxLevel, "A noise level must be finite and positive.");
      require(!reads_tau || level.upper > pass.edm[t], "A noise level of this classifier must lie above the smoothing level.");
      require(objective_.kind() != DC_EPNDC || (level.lower >= pass.edm[t] && level.lower < level.upper),
              "A level of epndc must begin at the smoothing level or above it, and end above its beginning.");
    }
    if (level.base != kNone) levels.push_back(level);
  }
  require(!levels.empty(), "A smoothing level has no noise level with a positive weight.");
  return levels;
}

std::int64_t Classifier::calls_per_sample() const {
  std::int64_t calls = 0;
  for (const Pass& pass : passes_) {
    // The most that sifting costs: nobody is dropped before its last level.
    const auto sifted = static_cast<std::int64_t>(pass.sift.size()) * (sifts() ? classes() : 0);
    const std::int64_t all = objective_.level_rows();
    const std::int64_t refined = sifts() ? std::min(all, prune_.keep * static_cast<std::int64_t>(pass.edm.size())) : all;
    calls += sifted + static_cast<std::int64_t>(pass.levels.size()) * refined + objective_.estimate_rows();
  }
  return calls;
}

void Classifier::votes(std::span<const std::uint8_t> image, const SampleRange& range, std::span<std::int32_t> votes,
                       std::span<std::int64_t> calls) {
  require(static_cast<std::int64_t>(votes.size()) == tau_count() * range.size(), "The place for votes has another size than the samples.");
  require(calls.empty() || static_cast<std::int64_t>(calls.size()) == range.size(), "The place for calls has another size than the samples.");
  std::fill(calls.begin(), calls.end(), 0);
  for_each_group(image, range, false, [&](const Pass& pass, std::int64_t offset, std::int64_t samples) {
    for (std::size_t t = 0; t < pass.edm.size(); ++t) {
      const std::int64_t row = static_cast<std::int64_t>(pass.first + t) * range.size() + offset;
      std::copy_n(votes_.data() + static_cast<std::int64_t>(t) * samples, samples, votes.data() + row);
    }
    if (calls.empty()) return;
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      calls[static_cast<std::size_t>(offset + sample)] += calls_[static_cast<std::size_t>(sample)];
    }
  });
}

void Classifier::losses(std::span<const std::uint8_t> image, const SampleRange& range, std::span<double> losses) {
  require(static_cast<std::int64_t>(losses.size()) == tau_count() * range.size() * classes(),
          "The place for losses has another size than the samples.");
  for_each_group(image, range, true, [&](const Pass& pass, std::int64_t offset, std::int64_t samples) {
    for (std::size_t t = 0; t < pass.edm.size(); ++t) {
      const std::int64_t row = static_cast<std::int64_t>(pass.first + t) * range.size() + offset;
      std::copy_n(losses_.data() + static_cast<std::int64_t>(t) * samples * classes(), samples * classes(), losses.data() + row * classes());
    }
  });
}

template <class Take>
void Classifier::for_each_group(std::span<const std::uint8_t> image, const SampleRange& range, bool with_losses, Take take) {
  require(static_cast<std::int64_t>(image.size()) == elements(), "The image has another size than the model takes.");
  require(range.from <= range.to, "A range of samples ends before it begins.");
  const std::int64_t group = this->group();
  for (std::int64_t done = 0; done < range.size(); done += group) {
    SampleRange part = range;
    part.from = range.from + static_cast<std::uint32_t>(done);
    part.to = static_cast<std::uint32_t>(std::min<std::int64_t>(std::int64_t{part.from} + group, range.to));
    for (const Pass& pass : passes_) {
      run(pass, image, part, with_losses);
      take(pass, done, part.size());
    }
  }
}

void Classifier::run(const Pass& pass, std::span<const std::uint8_t> image, const SampleRange& part, bool with_losses) {
  const std::int64_t samples = part.size();
  const std::size_t cells = pass.edm.size() * static_cast<std::size_t>(samples);
  keys_.clear();
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    keys_.push_back({seed_, part.image_id, static_cast<std::uint32_t>(part.phase), part.from + static_cast<std::uint32_t>(sample)});
  }
  x_.resize(cells * image.size());
  certain_.resize(static_cast<std::size_t>(samples));
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    certain_[static_cast<std::size_t>(sample)] = draw(pass, image, keys_[static_cast<std::size_t>(sample)], sample, samples) ? 1 : 0;
  }
  losses_.assign(cells * static_cast<std::size_t>(classes()), 0.0);
  calls_.assign(static_cast<std::size_t>(samples), 0);
  ElboJob job;
  job.samples = samples;
  job.calls = calls_;
  job.taus = pass.edm;
  job.x = x_;
  job.keys = keys_;
  job.levels = pass.levels;
  if (prune_.kind != DC_PRUNE_NONE) {
    run_contests(pass, job);
    vote(samples);
    return;
  }
  if (objective_.casts_votes()) {
    cast(pass, job, with_losses);
    return;
  }
  job.take = [&](std::int64_t tau, std::int64_t sample, std::int32_t label, std::uint32_t position, double residual) {
    const double weight = taus_[pass.first + static_cast<std::size_t>(tau)].grid.weights[position];
    if (weight > 0) losses_[static_cast<std::size_t>((tau * samples + sample) * classes() + label)] += weight * residual;
  };
  objective_.run(job);
  for (double& loss : losses_) {
    if (!std::isfinite(loss)) loss = std::numeric_limits<double>::quiet_NaN();
  }
  vote(samples);
}

// All of it on the device.
void Classifier::cast(const Pass& pass, const ElboJob& job, bool with_losses) {
  std::vector<double> weights;
  for (std::size_t t = 0; t < pass.edm.size(); ++t) {
    for (const ElboLevel& level : pass.levels) weights.push_back(taus_[pass.first + t].grid.weights[level.position]);
  }
  votes_.resize(pass.edm.size() * static_cast<std::size_t>(job.samples));
  Tally tally;
  tally.weights = weights;
  tally.certain = certain_;
  tally.votes = votes_;
  if (with_losses) tally.losses = losses_;
  objective_.cast(job, tally);
}

// The votes of the losses at hand.
void Classifier::vote(std::int64_t samples) {
  votes_.resize(losses_.size() / static_cast<std::size_t>(classes()));
  for (std::size_t v = 0; v < votes_.size(); ++v) {
    const double* loss = losses_.data() + static_cast<std::int64_t>(v) * classes();
    const bool counts = certain_[v % static_cast<std::size_t>(samples)] != 0 && std::none_of(loss, loss + classes(), is_nan);
    votes_[v] = counts ? static_cast<std::int32_t>(std::min_element(loss, loss + classes()) - loss) : -1;
  }
}

// The positions of one sample at the taus of the pass. False if the noise was ambiguous.
bool Classifier::draw(const Pass& pass, std::span<const std::uint8_t> image, const NoiseKey& key, std::int64_t sample,
                      std::int64_t samples) {
  const std::size_t count = image.size();
  const Tau& first = taus_[pass.first];
  double* x = x_.data() + sample * elements();
  if (mode_ == DC_NOISE_FLOAT) {
    normals_.resize(count);
    draw_normals(key, NoiseStream::smoothing, 0, normals_);
    for (std::size_t e = 0; e < count; ++e) x[e] = edm_value(image[e]) + 2 * first.unit * normals_[e];
    return true;
  }
  integers_.resize(count * pass.edm.size());
  const bool certain = mode_ == DC_NOISE_PATH ? path_->draw(key, elements(), integers_) : first.noise->draw(key, integers_);
  for (std::size_t t = 0; t < pass.edm.size(); ++t) {
    const Tau& tau = taus_[pass.first + t];
    for (std::size_t e = 0; e < count; ++e) {
      x[e] = edm_value(std::clamp(image[e] + integers_[t * count + e], tau.clip_low, tau.clip_high));
    }
    x += samples * elements();
  }
  return certain;
}

}  // namespace diffcert
