// The noise level's embedding and the linear maps around it: 0.02 % of a network's arithmetic.
//
// A linear map is one matrix product of the whole batch, its columns shared out between the threads; rows do not meet, so the
// batch does not show. Frequencies and angles are computed in double by our own functions (scalar_math.hpp).
#include <algorithm>

#include "core/arena.hpp"
#include "cpu/pack.hpp"
#include "cpu/scalar_math.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

constexpr double kLogMaxPositions = 9.2103403719761827361;  // ln 10000
constexpr double kTwoPi = 6.2831853071795864769;

class Embed final : public Step {
 public:
  Embed(const EmbedOp& op, const WeightSource& weights) : op_(op), half_(op.channels / 2) {
    frequencies_.resize(static_cast<std::size_t>(half_));
    for (std::int64_t i = 0; i < half_; ++i) {
      double& frequency = frequencies_[static_cast<std::size_t>(i)];
      if (op.freqs != kNone) {
        frequency = kTwoPi * static_cast<double>(weights(op.freqs)[static_cast<std::size_t>(i)]);
      } else {
        frequency = exact_exp(-kLogMaxPositions * static_cast<double>(i) / static_cast<double>(half_ - (op.endpoint ? 1 : 0)));
      }
    }
  }

  void run(const Frame& frame) const override {
    for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
      const double label = static_cast<double>(frame.at(op_.noise_label, sample)[0]);
      float* out = frame.at(op_.out, sample);
      for (std::int64_t i = 0; i < half_; ++i) {
        double cosine = 0, sine = 0;
        exact_cos_sin(label * frequencies_[static_cast<std::size_t>(i)], cosine, sine);
        out[i] = static_cast<float>(op_.swap_halves ? sine : cosine);
        out[half_ + i] = static_cast<float>(op_.swap_halves ? cosine : sine);
      }
    }
  }

 private:
  EmbedOp op_;
  std::int64_t half_;
  std::vector<double> frequencies_;
};

class Linear final : public Step {
 public:
  Linear(const LinearOp& op, const WeightSource& weights)
      : op_(op), weights_(packed_size(op.in_features, op.out_features)), bias_(packed_size(1, op.out_features)) {
    const auto& values = weights(op.weight);
    pack(op.in_features, op.out_features, weights_.data(), [&](std::int64_t k, std::int64_t n) {
      return values[static_cast<std::size_t>(op.transposed ? k * op.out_features + n : n * op.in_features + k)];
    });
    if (op.bias != kNone) std::copy_n(weights(op.bias).data(), op.out_features, bias_.data());
  }

  std::int64_t weight_floats() const override { return weights_.size() + bias_.size(); }
  std::int64_t shared_floats(std::int64_t max_batch) const override { return max_batch * op_.in_features; }

  void run(const Frame& frame) const override {
    const Kernels& kernels = frame.kernels;
    const float* in = frame.at(op_.in, 0);
    if (op_.in_scale != 1.0f) {
      const std::int64_t count = frame.samples * op_.in_features;
      for (std::int64_t i = 0; i < count; ++i) frame.shared[i] = op_.in_scale * in[i];
      in = frame.shared;
    }
    const auto columns = [&](std::int64_t from, std::int64_t to, int) {  // panels
      const std::int64_t first = from * kLanes, count = std::min<std::int64_t>(to * kLanes, op_.out_features) - first;
      kernels.gemm(frame.samples, count, op_.in_features, in, op_.in_features, weights_.data() + first * op_.in_features,
                   frame.at(op_.out, 0) + first, op_.out_features, false);
      for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
        float* out = frame.at(op_.out, sample) + first;
        kernels.add(count, out, bias_.data() + first, 1.0f, out);
        if (op_.addend != kNone) kernels.add(count, out, frame.at(op_.addend, sample) + first, 1.0f, out);
        if (op_.silu) kernels.silu(count, out);
      }
    };
    constexpr std::int64_t kWorthSharing = 1 << 19;  // multiply-adds; below it, waking the threads costs more
    if (frame.samples * weights_.size() < kWorthSharing) {
      columns(0, panels(op_.out_features), 0);
    } else {
      frame.pool.parallel_for(panels(op_.out_features), columns);
    }
  }

 private:
  LinearOp op_;
  AlignedBuffer<float> weights_, bias_;
};

}  // namespace

std::unique_ptr<Step> make_embed(const EmbedOp& op, const WeightSource& weights) { return std::make_unique<Embed>(op, weights); }
std::unique_ptr<Step> make_linear(const LinearOp& op, const WeightSource& weights) {
  return std::make_unique<Linear>(op, weights);
}

}  // namespace diffcert::cpu
