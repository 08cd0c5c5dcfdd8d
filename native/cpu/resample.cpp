// Filtered resampling and plain sums of feature maps, for the residual and skip encoders and decoders: bound by memory.
//
// An output pixel is the sum over taps (ty, tx), ascending, of factor * input, the factor rounded to float once.
#include <algorithm>

#include "cpu/staging.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

class Resample final : public Step {
 public:
  explicit Resample(const ResampleOp& op) : op_(op), taps_(static_cast<std::int64_t>(op.filter.size())) {
    for (const float y : op.filter) {
      for (const float x : op.filter) {
        factors_.push_back(static_cast<float>((op.up ? 4.0 : 1.0) * static_cast<double>(y) * static_cast<double>(x)));
      }
    }
  }

  std::int64_t shared_floats(std::int64_t max_batch) const override {
    return loads() ? max_batch * op_.in.height * op_.in.width * op_.in.channels : 0;
  }

  void run(const Frame& frame) const override {
    if (loads()) {
      frame.pool.parallel_for(frame.samples * op_.in.height, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t i = from; i < to; ++i) load_row(frame, i / op_.in.height, i % op_.in.height);
      });
    }
    frame.pool.parallel_for(frame.samples * op_.out.height, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) run_row(frame, i / op_.out.height, i % op_.out.height);
    });
    if (op_.stats != kNone) run_statistics(frame, op_.out, op_.stats);
  }

 private:
  bool loads() const { return op_.load.affine != kNone || op_.load.silu; }
  std::int64_t line() const { return static_cast<std::int64_t>(op_.in.width) * op_.in.channels; }
  const float* input(const Frame& frame, std::int64_t sample) const {
    return loads() ? frame.shared + sample * op_.in.height * line() : frame.at(op_.in.buffer, sample);
  }

  void load_row(const Frame& frame, std::int64_t sample, std::int64_t y) const {
    const float* a = op_.load.affine == kNone ? nullptr : frame.at(op_.load.affine, sample);
    frame.kernels.activate(op_.in.width, op_.in.channels, frame.at(op_.in.buffer, sample) + y * line(), op_.in.channels,
                           frame.shared + (sample * op_.in.height + y) * line(), op_.in.channels, a,
                           a ? a + op_.in.channels : nullptr, op_.load.silu);
  }

  // Where tap t of output position p reads, or -1. Up: the input lies at even places of the zero-inserted map.
  std::int64_t place(std::int64_t p, std::int64_t t, std::int64_t size) const {
    const std::int64_t at = op_.up ? p + op_.padding - t : 2 * p + t - op_.padding;
    if (at < 0) return -1;
    if (!op_.up) return at < size ? at : -1;
    return at % 2 == 0 && at / 2 < size ? at / 2 : -1;
  }

  void run_row(const Frame& frame, std::int64_t sample, std::int64_t y) const {
    const std::int64_t channels = op_.in.channels;
    const float* in = input(frame, sample);
    float* out = frame.at(op_.out.buffer, sample) + y * op_.out.width * channels;
    std::fill_n(out, op_.out.width * channels, 0.0f);
    for (std::int64_t x = 0; x < op_.out.width; ++x) {
      for (std::int64_t ty = 0; ty < taps_; ++ty) {
        const std::int64_t from_y = place(y, ty, op_.in.height);
        if (from_y < 0) continue;
        for (std::int64_t tx = 0; tx < taps_; ++tx) {
          const std::int64_t from_x = place(x, tx, op_.in.width);
          if (from_x < 0) continue;
          frame.kernels.axpy(channels, factors_[static_cast<std::size_t>(ty * taps_ + tx)],
                             in + from_y * line() + from_x * channels, out + x * channels);
        }
      }
    }
  }

  ResampleOp op_;
  std::int64_t taps_;
  std::vector<float> factors_;
};

class Add final : public Step {
 public:
  explicit Add(const AddOp& op) : op_(op) {}

  void run(const Frame& frame) const override {
    const std::int64_t count = static_cast<std::int64_t>(op_.out.height) * op_.out.width * op_.out.channels;
    frame.pool.parallel_for(frame.samples, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t sample = from; sample < to; ++sample) {
        frame.kernels.add(count, frame.at(op_.a.buffer, sample), frame.at(op_.b.buffer, sample), op_.scale,
                          frame.at(op_.out.buffer, sample));
      }
    });
    if (op_.stats != kNone) run_statistics(frame, op_.out, op_.stats);
  }

 private:
  AddOp op_;
};

}  // namespace

std::unique_ptr<Step> make_resample(const ResampleOp& op) { return std::make_unique<Resample>(op); }
std::unique_ptr<Step> make_add(const AddOp& op) { return std::make_unique<Add>(op); }

}  // namespace diffcert::cpu
