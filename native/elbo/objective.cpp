#include "elbo/objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/noise.hpp"
#include "core/status.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kEstimateBudget = std::int64_t{256} << 20;  // bytes

// To [-1, 1]. What is not finite becomes NaN instead of a bound, so that the loss shows it and the sample counts for no class (S15).
double clamped(double v) {
  if (!std::isfinite(v)) return std::numeric_limits<double>::quiet_NaN();
  return v > 1 ? 1 : v < -1 ? -1 : v;
}

}  // namespace

Objective::Objective(Network& model, Network* unconditional, dc_classifier_kind kind, bool clamp, std::int64_t batch)
    : model_(model), unconditional_(unconditional != nullptr ? *unconditional : model), kind_(kind), clamp_(clamp), batch_(batch),
      elements_(model.config().image_elements()), classes_(model.config().classes()) {
  require(model_.finished() && unconditional_.finished(), "A diffusion classifier needs models whose weights are all set.");
  require(classes_ >= 2, "A diffusion classifier needs a class-conditional model of at least two classes.");
  require(batch_ >= 1, "A batch has at least one row.");
  const NetworkConfig &a = model_.config(), &b = unconditional_.config();
  require(a.img_channels == b.img_channels && a.img_resolution == b.img_resolution,
          "The unconditional model takes images of another shape than the conditional one.");
  all_.resize(static_cast<std::size_t>(classes_));
  std::iota(all_.begin(), all_.end(), 0);
  const auto cells = static_cast<std::size_t>(batch_ * elements_);
  input_.resize(cells);
  denoised_.resize(cells);
  noise_.resize(static_cast<std::size_t>(elements_));
  rows_.reserve(static_cast<std::size_t>(batch_));
  sigma_.reserve(static_cast<std::size_t>(batch_));
  labels_.reserve(static_cast<std::size_t>(batch_));
}

std::int64_t Objective::estimate_rows() const {
  return kind_ == DC_APNDC_CONDITIONAL ? level_rows() : kind_ == DC_APNDC || kind_ == DC_APNDC_ENSEMBLE ? 1 : 0;
}

std::int64_t Objective::group() const {
  const std::int64_t bytes = std::max<std::int64_t>(1, estimates_each()) * elements_ * static_cast<std::int64_t>(sizeof(double));
  return std::clamp<std::int64_t>(kEstimateBudget / bytes, 1, batch_);
}

void Objective::run(const ElboJob& job) {
  estimate(job);
  for (const ElboLevel& level : job.levels) run_level(job, level);
  flush(job);
}

void Objective::run_level(const ElboJob& job, const ElboLevel& level) {
  const double spread = spread_of(job, level);
  // The device takes each class of a row of its own, and makes one pass of the rows of a (level, sample) that share a body.
  const bool together = multi_head() && engine_ == nullptr;
  const std::int64_t full = multi_head() && engine_ != nullptr ? batch_ * classes_ : batch_;
  constexpr std::int32_t kAll[] = {kNone};
  for (std::int64_t sample = 0; sample < job.samples; ++sample) {
    const std::span<const std::int32_t> labels = job.labels ? job.labels(sample) : all_;
    if (labels.empty()) continue;
    if (!job.calls.empty()) job.calls[static_cast<std::size_t>(sample)] += multi_head() ? 1 : static_cast<std::int64_t>(labels.size());
    if (engine_ != nullptr) {
      for (const std::int32_t label : labels) {
        if (static_cast<std::int64_t>(rows_.size()) == full) flush(job);
        rows_.push_back({&level, sample, label});
      }
      continue;
    }
    if (job.keys.empty()) job.noise(sample, level.position, noise_);
    else draw_normals(job.keys[static_cast<std::size_t>(sample)], NoiseStream::level, level.position, noise_);
    const double* centre = kind_ == DC_APNDC_ENSEMBLE ? estimates_.data() + sample * elements_
                                                      : job.x.data() + (level.base * job.samples + sample) * elements_;
    const double* shared = nullptr;
    for (const std::int32_t label : together ? std::span<const std::int32_t>(kAll) : labels) {
      if (static_cast<std::int64_t>(rows_.size()) == full) {
        flush(job);
        shared = nullptr;
      }
      double* x = push(level.upper, label, {&level, sample, label});
      if (shared != nullptr) {
        std::copy_n(shared, elements_, x);
      } else {
        for (std::int64_t e = 0; e < elements_; ++e) x[e] = centre[e] + spread * noise_[static_cast<std::size_t>(e)];
      }
      shared = x;
    }
  }
}

// The standard deviation of x_u's noise.
double Objective::spread_of(const ElboJob& job, const ElboLevel& level) const {
  const double tau = job.taus[static_cast<std::size_t>(level.base)];
  return noised() ? std::sqrt((level.upper - tau) * (level.upper + tau)) : level.upper;
}

// D(x; s_tau), unconditional or once a class: the targets of the apndc kinds.
void Objective::estimate(const ElboJob& job) {
  const std::int64_t each = estimate_rows();
  const std::int64_t all = job.samples * each;
  keeping_ = false;
  estimates_.resize(static_cast<std::size_t>(job.samples * estimates_each() * elements_));
  Network& network = kind_ == DC_APNDC_CONDITIONAL ? model_ : unconditional_;
  for (std::int64_t& calls : job.calls) calls += each;
  if (kind_ == DC_APNDC_CONDITIONAL && multi_head()) estimate_heads(job);
  else for (std::int64_t done = 0; done < all;) {
    const std::int64_t count = std::min(batch_, all - done);
    for (std::int64_t r = done; r < done + count; ++r) {
      const std::int32_t label = kind_ == DC_APNDC_CONDITIONAL ? static_cast<std::int32_t>(r % each) : -1;
      std::copy_n(job.x.data() + r / each * elements_, elements_, push(job.taus[0], label, {}));
    }
    denoise(network);
    std::copy_n(denoised_.data(), count * elements_, estimates_.data() + done * elements_);
    clear();
    done += count;
  }
  engine_ = job.keys.empty() ? nullptr : model_.rows();
  if (engine_ != nullptr) stage(job);
}

// The same of all classes, a row a sample.
void Objective::estimate_heads(const ElboJob& job) {
  const std::vector<double> sigma(static_cast<std::size_t>(job.samples), job.taus[0]);
  model_.each_head(job.samples, sigma.data(), job.x.data(), [&](std::int64_t sample, std::int32_t head, const double* denoised) {
    if (head == classes_) return;
    double* place = estimates_.data() + (sample * classes_ + head) * elements_;
    std::copy_n(denoised, elements_, place);
    if (clamp_) std::transform(place, place + elements_, place, clamped);
  });
}

// The place of the next row's input.
double* Objective::push(double sigma, std::int32_t label, const Pending& row) {
  double* place = input_.data() + static_cast<std::int64_t>(rows_.size()) * elements_;
  rows_.push_back(row);
  sigma_.push_back(sigma);
  labels_.push_back(label);
  return place;
}

// Runs the batch: its rows' D lies in denoised_.
void Objective::denoise(Network& network) {
  const auto n = static_cast<std::int64_t>(rows_.size());
  network.denoise(n, sigma_.data(), labels_.data(), input_.data(), denoised_.data());
  if (clamp_) std::transform(denoised_.begin(), denoised_.begin() + n * elements_, denoised_.begin(), clamped);
}

void Objective::clear() {
  rows_.clear();
  sigma_.clear();
  labels_.clear();
}

void Objective::flush(const ElboJob& job) {
  if (rows_.empty()) return;
  if (engine_ != nullptr) {
    flush_rows(job);
    clear();
    return;
  }
  if (multi_head()) {
    model_.each_head(static_cast<std::int64_t>(rows_.size()), sigma_.data(), input_.data(), [&](std::int64_t r, std::int32_t head, double* denoised) {
      if (head == classes_) return;
      if (clamp_) std::transform(denoised, denoised + elements_, denoised, clamped);
      judge(job, rows_[static_cast<std::size_t>(r)], head, input_.data() + r * elements_, denoised);
    });
  } else {
    denoise(model_);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const std::int64_t place = static_cast<std::int64_t>(r) * elements_;
      judge(job, rows_[r], rows_[r].label, input_.data() + place, denoised_.data() + place);
    }
  }
  clear();
}

// Hands out the residuals of one class of a row.
void Objective::judge(const ElboJob& job, const Pending& row, std::int32_t label, const double* input, const double* denoised) const {
  if (kind_ == DC_EPNDC) {
    for (std::int64_t t = 0; t <= row.level->base; ++t) {
      const double* x = job.x.data() + (t * job.samples + row.sample) * elements_;
      job.take(t, row.sample, label, row.level->position,
               posterior_distance(*row.level, job.taus[static_cast<std::size_t>(t)], x, input, denoised));
    }
    return;
  }
  const std::int64_t estimate = kind_ == DC_APNDC_CONDITIONAL ? row.sample * classes_ + label : row.sample;
  const double* target = kind_ == DC_DC ? job.x.data() + row.sample * elements_ : estimates_.data() + estimate * elements_;
  job.take(0, row.sample, label, row.level->position, squared_distance(denoised, target));
}

double Objective::squared_distance(const double* denoised, const double* target) const {
  double sum = 0;
  for (std::int64_t e = 0; e < elements_; ++e) {
    const double d = denoised[e] - target[e];
    sum += d * d;
  }
  return sum / static_cast<double>(elements_);
}

//   m_q = ((u^2 - l^2) x + (l^2 - s^2) x_u) / (u^2 - s^2),   m_p = ((u^2 - l^2) D + l^2 x_u) / u^2
double Objective::posterior_distance(const ElboLevel& level, double tau, const double* x, const double* x_upper,
                                     const double* denoised) const {
  const double u = level.upper, l = level.lower;
  const double q = (u - tau) * (u + tau), step = (u - l) * (u + l);
  const double qx = step / q, qu = (l - tau) * (l + tau) / q;
  const double pd = step / (u * u), pu = l * l / (u * u);
  double sum = 0;
  for (std::int64_t e = 0; e < elements_; ++e) {
    const double d = (qx * x[e] + qu * x_upper[e]) - (pd * denoised[e] + pu * x_upper[e]);
    sum += d * d;
  }
  return sum / static_cast<double>(elements_);
}

}  // namespace diffcert
