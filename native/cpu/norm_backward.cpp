// A norm backwards: a few hundred numbers a sample, in double and sequentially, as forwards (cpu/norm.cpp).
#include <cmath>

#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

class NormBackward final : public Step {
 public:
  NormBackward(const NormBackwardOp& op, const WeightSource& weights)
      : op_(op), gamma_(weights(op.norm.gamma)), beta_(weights(op.norm.beta)), channels_(op.norm.channels[0] + op.norm.channels[1]) {}

  std::int64_t weight_floats() const override { return static_cast<std::int64_t>(gamma_.size() + beta_.size()); }

  void run(const Frame& frame) const override {
    frame.pool.parallel_for(frame.samples, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t sample = from; sample < to; ++sample) run_sample(frame, sample);
    });
  }

 private:
  void run_sample(const Frame& frame, std::int64_t sample) const {
    const NormOp& norm = op_.norm;
    const std::int64_t width = channels_ / norm.groups;
    const double count = static_cast<double>(width) * norm.pixels;
    const auto at = [&](BufferId id) { return id == kNone ? nullptr : frame.at(id, sample); };
    const float *sources[2] = {at(norm.stats[0]), at(norm.stats[1])}, *sums = at(op_.sums), *adaptive = at(norm.adaptive);
    float *slopes = at(op_.slopes), *to_adaptive = at(op_.adaptive), *to_affine = at(op_.affine);
    const auto statistic = [&](std::int64_t c, bool squares) {
      const int s = c < norm.channels[0] ? 0 : 1;
      return static_cast<double>(sources[s][c - (s ? norm.channels[0] : 0) + (squares ? norm.channels[s] : 0)]);
    };
    for (std::int64_t first = 0; first < channels_; first += width) {
      double mean = 0, squares = 0, d_rstd = 0, d_mean = 0;
      for (std::int64_t c = first; c < first + width; ++c) mean += statistic(c, false);
      mean /= static_cast<double>(width);
      for (std::int64_t c = first; c < first + width; ++c) {
        const double off = statistic(c, false) - mean;
        squares += statistic(c, true) + norm.pixels * (off * off);
      }
      const double rstd = 1.0 / std::sqrt(squares / count + norm.eps);
      for (std::int64_t c = first; c < first + width; ++c) {
        const double gamma = static_cast<double>(gamma_[static_cast<std::size_t>(c)]), plain = static_cast<double>(sums[channels_ + c]);
        const double centred = static_cast<double>(sums[c]) + (statistic(c, false) - mean) * plain;
        const double slope = adaptive ? 1.0 + static_cast<double>(adaptive[c]) : 1.0;
        if (to_adaptive) {
          to_adaptive[c] = static_cast<float>(gamma * rstd * centred + static_cast<double>(beta_[static_cast<std::size_t>(c)]) * plain);
          to_adaptive[channels_ + c] = static_cast<float>(plain);
        }
        if (to_affine) {
          to_affine[c] = static_cast<float>(slope * rstd * centred);
          to_affine[channels_ + c] = static_cast<float>(slope * plain);
        }
        d_rstd += slope * gamma * centred;
        d_mean -= slope * gamma * rstd * plain;
      }
      const double slope = -(rstd * rstd * rstd) * d_rstd / count;
      for (std::int64_t c = first; c < first + width; ++c) {
        slopes[c] = static_cast<float>(slope);
        slopes[channels_ + c] = static_cast<float>(d_mean / count - slope * mean);
      }
    }
  }

  NormBackwardOp op_;
  std::vector<float> gamma_, beta_;
  std::int64_t channels_;
};

}  // namespace

std::unique_ptr<Step> make_norm_backward(const NormBackwardOp& op, const WeightSource& weights) {
  return std::make_unique<NormBackward>(op, weights);
}

}  // namespace diffcert::cpu
