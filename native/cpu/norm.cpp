// Statistics of feature maps and the norms made from them.
//
// A norm reads a few hundred numbers a sample and is done in double, sequentially: groups' means and squares from the channels',
// ascending, so the concatenation of two sources costs nothing. sqrt and division are IEEE's, so the bits are the machine's own
// nowhere.
#include <algorithm>
#include <cmath>

#include "cpu/step.hpp"

namespace diffcert::cpu {

void run_statistics(const Frame& frame, const Feature& feature, BufferId out) {
  constexpr std::int64_t kGroup = 64;  // channels a unit of work
  const std::int64_t channels = feature.channels, groups = (channels + kGroup - 1) / kGroup;
  frame.pool.parallel_for(frame.samples * groups, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t sample = i / groups, c = i % groups * kGroup;
      float* mean = frame.at(out, sample) + c;
      frame.kernels.statistics(feature.height, feature.width, std::min(kGroup, channels - c),
                               frame.at(feature.buffer, sample) + c, channels, mean, mean + channels);
    }
  });
}

namespace {

class Statistics final : public Step {
 public:
  explicit Statistics(const StatsOp& op) : op_(op) {}
  void run(const Frame& frame) const override { run_statistics(frame, op_.in, op_.out); }

 private:
  StatsOp op_;
};

class Norm final : public Step {
 public:
  Norm(const NormOp& op, const WeightSource& weights)
      : op_(op), gamma_(weights(op.gamma)), beta_(weights(op.beta)), channels_(op.channels[0] + op.channels[1]) {}

  std::int64_t weight_floats() const override { return static_cast<std::int64_t>(gamma_.size() + beta_.size()); }

  void run(const Frame& frame) const override {
    frame.pool.parallel_for(frame.samples, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t sample = from; sample < to; ++sample) run_sample(frame, sample);
    });
  }

 private:
  void run_sample(const Frame& frame, std::int64_t sample) const {
    const float* sources[2] = {frame.at(op_.stats[0], sample),
                               op_.stats[1] == kNone ? nullptr : frame.at(op_.stats[1], sample)};
    const auto mean = [&](std::int64_t c) {
      return static_cast<double>(c < op_.channels[0] ? sources[0][c] : sources[1][c - op_.channels[0]]);
    };
    const auto m2 = [&](std::int64_t c) {
      return static_cast<double>(c < op_.channels[0] ? sources[0][op_.channels[0] + c]
                                                     : sources[1][op_.channels[1] + c - op_.channels[0]]);
    };
    const float* adaptive = op_.adaptive == kNone ? nullptr : frame.at(op_.adaptive, sample);
    float* out = frame.at(op_.out, sample);
    const std::int64_t width = channels_ / op_.groups;
    for (std::int64_t first = 0; first < channels_; first += width) {
      double middle = 0, squares = 0;
      for (std::int64_t c = first; c < first + width; ++c) middle += mean(c);
      middle /= static_cast<double>(width);
      for (std::int64_t c = first; c < first + width; ++c) {
        const double off = mean(c) - middle;
        squares += m2(c) + op_.pixels * (off * off);
      }
      const double rstd = 1.0 / std::sqrt(squares / static_cast<double>(width * op_.pixels) + op_.eps);
      for (std::int64_t c = first; c < first + width; ++c) {
        double a = static_cast<double>(gamma_[static_cast<std::size_t>(c)]) * rstd;
        double b = static_cast<double>(beta_[static_cast<std::size_t>(c)]) - middle * a;
        if (adaptive) {
          const double slope = 1.0 + static_cast<double>(adaptive[c]);
          a = a * slope;
          b = b * slope + static_cast<double>(adaptive[channels_ + c]);
        }
        out[c] = static_cast<float>(a);
        out[channels_ + c] = static_cast<float>(b);
      }
    }
  }

  NormOp op_;
  std::vector<float> gamma_, beta_;
  std::int64_t channels_;
};

}  // namespace

std::unique_ptr<Step> make_statistics(const StatsOp& op) { return std::make_unique<Statistics>(op); }
std::unique_ptr<Step> make_norm(const NormOp& op, const WeightSource& weights) { return std::make_unique<Norm>(op, weights); }

}  // namespace diffcert::cpu
