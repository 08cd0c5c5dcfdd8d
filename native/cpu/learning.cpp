// The gradients of weights, summed over samples. A sum is one chain over (sample, pixel), ascending, kept in float from call to call, so
// neither batches nor threads show; threads share out the outputs.
//
// A convolution's: for each tap a product [Cin x pixels] by [pixels x Cout]. The loaded sources lie with their zeros around, so that a tap is
// a shift of the left side; the right side, what comes back, is packed with zeros where rows of the left side are wider, which adds
// nothing. The 3x3 of most layers goes by learning_winograd.cpp.
#include <algorithm>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "cpu/learning.hpp"
#include "cpu/pack.hpp"

namespace diffcert::cpu {
namespace {

class ConvGradient final : public Step {
 public:
  explicit ConvGradient(const ConvGradientOp& op)
      : op_(op),
        channels_(op.src[0].channels + op.src[1].channels),
        out_channels_(op.gradient.channels),
        high_(op.gradient.height + op.kernel - 1),
        wide_(op.gradient.width + op.kernel - 1),
        depth_((op.gradient.height - 1) * wide_ + op.gradient.width),
        sums_(std::int64_t{1} * op.kernel * op.kernel * channels_ * out_channels_) {}

  std::int64_t weight_floats() const override { return sums_.size(); }
  std::int64_t scratch_floats() const override { return 4 * (wide_ + op_.kernel) * channels_; }
  std::int64_t shared_floats(std::int64_t /*max_batch*/) const override { return staged() + packed_size(depth_, out_channels_); }

  void run(const Frame& frame) const override {
    const std::int64_t taps = std::int64_t{1} * op_.kernel * op_.kernel, groups = (channels_ + kGroup - 1) / kGroup;
    for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
      frame.pool.parallel_for(high_ + panels(out_channels_), [&](std::int64_t from, std::int64_t to, int thread) {
        for (std::int64_t i = from; i < to; ++i) {
          if (i < high_) stage_row(frame, sample, i, frame.of_thread(thread));
          else pack_panel(frame, sample, i - high_);
        }
      });
      frame.pool.parallel_for(taps * groups, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t i = from; i < to; ++i) {
          const std::int64_t tap = i / groups, c = i % groups * kGroup;
          frame.kernels.gemm_turned(std::min(kGroup, channels_ - c), out_channels_, depth_,
                                    frame.shared + (tap / op_.kernel * wide_ + tap % op_.kernel) * channels_ + c, channels_, frame.shared + staged(),
                                    sums_.data() + (tap * channels_ + c) * out_channels_, out_channels_, true);
        }
      });
    }
  }

  void clear_gradient() override { std::fill_n(sums_.data(), sums_.size(), 0.0f); }

  void add_gradient(WeightId w, std::span<double> values) const override {
    if (w != op_.weight) return;
    const std::int64_t taps = std::int64_t{1} * op_.kernel * op_.kernel;
    for (std::int64_t o = 0; o < out_channels_; ++o) {
      for (std::int64_t c = 0; c < channels_; ++c) {
        for (std::int64_t t = 0; t < taps; ++t) {
          values[static_cast<std::size_t>((o * channels_ + c) * taps + t)] +=
              static_cast<double>(op_.scale) * static_cast<double>(sums_[(t * channels_ + c) * out_channels_ + o]);
        }
      }
    }
  }

 private:
  static constexpr std::int64_t kGroup = 32;  // input channels a unit of work

  std::int64_t staged() const { return (channels_ * high_ * wide_ + 15) / 16 * 16; }

  // One row of the loaded, resampled and padded sources.
  void stage_row(const Frame& frame, std::int64_t sample, std::int64_t y, float* spare) const {
    std::int64_t first = 0;
    for (const Feature& feature : op_.src) {
      if (!feature.present()) continue;
      stage(frame.kernels, source_of(frame, op_, feature, first, sample), feature.channels, y - op_.padding, 1, -op_.padding, wide_,
            frame.shared + y * wide_ * channels_ + first, channels_, spare);
      first += feature.channels;
    }
  }

  void pack_panel(const Frame& frame, std::int64_t sample, std::int64_t panel) const {
    const std::int64_t c = panel * kLanes, count = std::min(kLanes, out_channels_ - c), width = op_.gradient.width;
    const float* from = frame.at(op_.gradient.buffer, sample) + c;
    float* to = frame.shared + staged() + panel * depth_ * kLanes;
    for (std::int64_t i = 0; i < depth_; ++i, to += kLanes) {
      const std::int64_t y = i / wide_, x = i % wide_;
      if (x >= width) {
        std::fill_n(to, kLanes, 0.0f);
      } else {
        std::fill(std::copy_n(from + (y * width + x) * out_channels_, count, to), to + kLanes, 0.0f);
      }
    }
  }

  ConvGradientOp op_;
  std::int64_t channels_, out_channels_, high_, wide_, depth_;
  mutable AlignedBuffer<float> sums_;  // [tap][Cin][Cout]; what a run leaves behind
};

class LinearGradient final : public Step {
 public:
  explicit LinearGradient(const LinearGradientOp& op) : op_(op), sums_(std::int64_t{1} * op.in_features * op.out_features) {}

  std::int64_t weight_floats() const override { return sums_.size(); }
  std::int64_t shared_floats(std::int64_t max_batch) const override {
    return packed_size(max_batch, op_.in_features) + max_batch * op_.out_features;
  }

  void run(const Frame& frame) const override {
    const std::int64_t in = op_.in_features, out = op_.out_features, samples = frame.samples;
    float* turned = frame.shared + packed_size(samples, in);
    pack(samples, in, frame.shared, [&](std::int64_t k, std::int64_t n) { return op_.in_scale * frame.at(op_.in, k)[n]; });
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t k = 0; k < samples; ++k) turned[o * samples + k] = frame.at(op_.gradient, k)[o];
    }
    frame.pool.parallel_for(out, [&](std::int64_t from, std::int64_t to, int) {
      frame.kernels.gemm(to - from, in, samples, turned + from * samples, samples, frame.shared, sums_.data() + from * in, in, true);
    });
  }

  void clear_gradient() override { std::fill_n(sums_.data(), sums_.size(), 0.0f); }
  void add_gradient(WeightId w, std::span<double> values) const override {
    if (w != op_.weight) return;
    for (std::int64_t i = 0; i < sums_.size(); ++i) values[static_cast<std::size_t>(i)] += static_cast<double>(sums_[i]);
  }

 private:
  LinearGradientOp op_;
  mutable AlignedBuffer<float> sums_;  // what a run leaves behind
};

class Accumulate final : public Step {
 public:
  explicit Accumulate(const AccumulateOp& op) : op_(op), sums_(op.elements) {}

  std::int64_t weight_floats() const override { return sums_.size(); }
  void run(const Frame& frame) const override {
    for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
      frame.kernels.add(op_.elements, sums_.data(), frame.at(op_.in, sample) + op_.first, 1.0f, sums_.data());
    }
  }
  void clear_gradient() override { std::fill_n(sums_.data(), sums_.size(), 0.0f); }
  void add_gradient(WeightId w, std::span<double> values) const override {
    if (w != op_.weight) return;
    for (std::int64_t i = 0; i < sums_.size(); ++i) values[static_cast<std::size_t>(i)] += static_cast<double>(sums_[i]);
  }

 private:
  AccumulateOp op_;
  mutable AlignedBuffer<float> sums_;  // what a run leaves behind
};

}  // namespace

std::unique_ptr<Step> make_conv_gradient(const ConvGradientOp& op) {
  if (winograd_learns(op)) return make_winograd_gradient(op);
  return std::make_unique<ConvGradient>(op);
}
std::unique_ptr<Step> make_linear_gradient(const LinearGradientOp& op) { return std::make_unique<LinearGradient>(op); }
std::unique_ptr<Step> make_accumulate(const AccumulateOp& op) { return std::make_unique<Accumulate>(op); }

}  // namespace diffcert::cpu
