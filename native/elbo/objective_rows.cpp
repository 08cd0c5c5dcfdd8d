// The objective where the device makes and judges rows itself: what a row needs is worked out here, in the host's float64.
#include <algorithm>
#include <cmath>

#include "elbo/objective.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kCastBudget = std::int64_t{32} << 20;  // bytes

}  // namespace

void Objective::stage(const ElboJob& job) {
  StagedSamples samples;
  samples.taus = kind_ == DC_EPNDC ? static_cast<std::int32_t>(job.taus.size()) : 1;
  samples.keys = job.keys;
  samples.positions = job.x;
  samples.estimates = estimates_;
  samples.estimates_each = kind_ == DC_APNDC_CONDITIONAL ? classes_ : 1;
  samples.around_estimates = kind_ == DC_APNDC_ENSEMBLE;
  samples.posterior = kind_ == DC_EPNDC;
  samples.clamp = clamp_;
  engine_->stage(samples);
}

void Objective::flush_rows(const ElboJob& job) {
  const std::size_t taus = kind_ == DC_EPNDC ? job.taus.size() : 1;
  std::vector<RowLevel> levels;
  std::vector<PosteriorMix> mix;
  std::vector<Row> rows;
  const ElboLevel* last = nullptr;
  for (const Pending& row : rows_) {
    if (row.level != last) {
      last = row.level;
      const double u = last->upper, l = last->lower, step = (u - l) * (u + l);
      const Coefficients c = model_.precond().at(u);
      levels.push_back({spread_of(job, *last), c.c_in, c.c_skip, c.c_out, c.c_noise, step / (u * u), l * l / (u * u), last->position, last->base});
      for (std::size_t t = 0; kind_ == DC_EPNDC && t < taus; ++t) {
        const double s = job.taus[t], q = (u - s) * (u + s);
        mix.push_back({step / q, (l - s) * (l + s) / q});
      }
    }
    const auto all = static_cast<std::int64_t>(job.levels.size());
    const std::int64_t place = keeping_ ? (row.sample * classes_ + row.label) * all + (row.level - job.levels.data()) : 0;
    rows.push_back({static_cast<std::int32_t>(levels.size()) - 1, static_cast<std::int32_t>(row.sample), row.label, static_cast<std::int32_t>(place)});
  }
  if (keeping_) {
    engine_->keep(levels, mix, rows);
    return;
  }
  residuals_.resize(rows.size() * taus);
  engine_->run(levels, mix, rows, residuals_);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    const Pending& row = rows_[r];
    for (std::int64_t t = 0; t <= row.level->base; ++t) {
      job.take(t, row.sample, row.label, row.level->position, residuals_[r * taus + static_cast<std::size_t>(t)]);
    }
  }
}

std::int64_t Objective::cast_group(std::int64_t levels, std::int64_t taus) const {
  return std::clamp<std::int64_t>(kCastBudget / (classes_ * levels * taus * static_cast<std::int64_t>(sizeof(double))), 1, group());
}

void Objective::cast(const ElboJob& job, Tally tally) {
  estimate(job);
  keeping_ = true;
  tally.classes = classes_;
  tally.levels = static_cast<std::int32_t>(job.levels.size());
  engine_->reserve(job.samples * classes_ * tally.levels);
  for (const ElboLevel& level : job.levels) run_level(job, level);
  flush(job);
  engine_->votes(tally);
}

}  // namespace diffcert
