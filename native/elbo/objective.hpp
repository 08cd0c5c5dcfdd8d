// The objective of the diffusion classifiers: squared differences per class and level, for noise that the caller gives.
//
// Everything here is in EDM space and float64. With x = x_tau, s = s_tau, (l, u) a level, e its noise and D the network, clamped to [-1, 1] if asked:
//   dc                 x_u = x + u e                    residual |D(x_u; u, y) - x|^2
//   apndc              x_u = x + sqrt(u^2 - s^2) e      residual |D(x_u; u, y) - D(x; s)|^2, the target unconditional
//   apndc-conditional  the same x_u                     residual |D(x_u; u, y) - D(x; s, y)|^2
//   apndc-ensemble     x_u = D(x; s) + u e              residual |D(x_u; u, y) - D(x; s)|^2
//   epndc              x_u as apndc's                   residual |m_q - m_p|^2, the means of q(x_l | x_u, x) and p(x_l | x_u, y)
// each a mean over the elements, summed in C,H,W order. docs/spec/classifiers.md derives them.
// A multi-head model gives D for all classes in one row, so that it takes one row a (sample, level), and one for its estimates.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "diffcert/diffcert.h"
#include "unet/network.hpp"

namespace diffcert {

// One level of a job. x_u starts from the position at taus[base]; the taus 0..base read the result.
struct ElboLevel {
  std::uint32_t position = 0;  // in the classifier's list; what the noise is keyed by
  double lower = 0, upper = 0;
  std::int32_t base = 0;
};

// Samples that share levels. More than one tau is for epndc alone: then x holds the positions of one path.
struct ElboJob {
  std::int64_t samples = 0;
  std::span<const double> taus;  // s_tau, ascending; dc does not read it
  std::span<const double> x;     // [taus, samples, elements]
  std::span<const ElboLevel> levels;
  // The classes whose rows a sample needs at the level at hand; empty function = all. Read while rows of that level are made.
  std::function<std::span<const std::int32_t>(std::int64_t sample)> labels;
  // The noise of a sample at a level (by its position), the same for all classes: keyed by the sample's keys, [samples], so that a device may draw it
  // itself; or, without keys, filled in by the caller, once a (level, sample) that has rows.
  std::span<const NoiseKey> keys;
  std::function<void(std::int64_t sample, std::uint32_t position, std::span<double> noise)> noise;
  // Takes a residual. For one (tau, sample, label) the levels come in order, whatever the batch.
  std::function<void(std::int64_t tau, std::int64_t sample, std::int32_t label, std::uint32_t position, double residual)> take;
  // [samples], or empty: the rows that a sample takes through a network are added here.
  std::span<std::int64_t> calls;
};

// Runs jobs: rows (level, sample, class), or (level, sample) of a multi-head model, go through the network in full batches. Not thread-safe; the models must stay.
class Objective {
 public:
  // unconditional: nullptr = model itself with no label. batch: rows of a network call, at least 1.
  Objective(Network& model, Network* unconditional, dc_classifier_kind kind, bool clamp, std::int64_t batch);

  std::int64_t elements() const { return elements_; }
  std::int32_t classes() const { return classes_; }
  // Rows that a sample costs at a level, all classes together.
  std::int64_t level_rows() const { return multi_head() ? 1 : classes_; }
  bool multi_head() const { return model_.config().multi_head(); }
  dc_classifier_kind kind() const { return kind_; }
  // Rows a sample that its denoised estimates cost.
  std::int64_t estimate_rows() const;
  // The largest number of samples that a job should have: batches are full, estimates stay within a fixed budget of memory.
  std::int64_t group() const;
  // The whole job.
  void run(const ElboJob& job);
  // The same in steps, for a job that decides between levels what it still needs: the estimates first, then levels in any order; flush takes
  // the residuals of all rows so far. Levels that are not flushed in between share batches.
  void estimate(const ElboJob& job);
  void run_level(const ElboJob& job, const ElboLevel& level);
  void flush(const ElboJob& job);

  // Whether the device casts votes of whole jobs itself, and how many samples a job may then have: residuals stay within a fixed budget of memory.
  bool casts_votes() { return model_.rows() != nullptr; }
  std::int64_t cast_group(std::int64_t levels, std::int64_t taus) const;
  // The whole job there, every class at every level. tally: classes and levels are the job's; weights in the order of its levels. Its keys must be given.
  void cast(const ElboJob& job, Tally tally);

 private:
  struct Pending {
    const ElboLevel* level;
    std::int64_t sample;
    std::int32_t label;  // kNone: all classes, on the host with a multi-head model
  };

  double* push(double sigma, std::int32_t label, const Pending& row);
  // The device form (objective_rows.cpp): positions, estimates and rows go down, residuals come up.
  void stage(const ElboJob& job);
  void flush_rows(const ElboJob& job);
  void denoise(Network& network);
  void estimate_heads(const ElboJob& job);
  void judge(const ElboJob& job, const Pending& row, std::int32_t label, const double* input, const double* denoised) const;
  std::int64_t estimates_each() const { return kind_ == DC_APNDC_CONDITIONAL ? classes_ : estimate_rows(); }
  void clear();
  double squared_distance(const double* denoised, const double* target) const;
  double posterior_distance(const ElboLevel& level, double tau, const double* x, const double* x_upper, const double* denoised) const;
  double spread_of(const ElboJob& job, const ElboLevel& level) const;
  bool noised() const { return kind_ != DC_DC && kind_ != DC_APNDC_ENSEMBLE; }

  Network& model_;
  Network& unconditional_;
  RowEngine* engine_ = nullptr;  // of the job at hand, if the model's device makes and judges rows
  bool keeping_ = false;          // residuals stay there
  dc_classifier_kind kind_;
  bool clamp_;
  std::int64_t batch_, elements_;
  std::int32_t classes_;
  std::vector<std::int32_t> all_;  // every class
  // The batch being filled.
  std::vector<Pending> rows_;
  std::vector<double> sigma_, input_, denoised_;
  std::vector<std::int32_t> labels_;
  // Of the job at hand: estimates [samples, elements], or [samples, classes, elements] for apndc-conditional; noise of one (level, sample); residuals of
  // the batch, from a device that judges rows.
  std::vector<double> estimates_, noise_, residuals_;
};

}  // namespace diffcert
