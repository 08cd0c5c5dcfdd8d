// What comes back through loads: its sums a channel, and on to the sources; and the small sums beside it. Bound by memory and by the
// exponential; one row of pixels a step.
#include <algorithm>

#include "cpu/staging.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kGroup = 64;  // channels a unit of work

// Row y of one sample, channels [c, c + count) of the source, as the kernels take it. Resampling is undone into spare (width * count).
PullRow row_of(const Frame& frame, const LoadGradient& in, std::int64_t sample, std::int64_t y, std::int64_t width, std::int64_t c,
               std::int64_t count, float* spare) {
  const Feature& gradient = in.gradient;
  const std::int64_t stride = gradient.channels, line = gradient.width * stride;
  const float* from = frame.at(gradient.buffer, sample) + in.first + c;
  PullRow row;
  row.scale = in.scale;
  row.gradient = spare;
  row.gradient_stride = count;
  if (in.up2) {  // the adjoint of a copy to four is the sum of four: 4 times their mean, exactly
    row.scale *= 4;
    for (std::int64_t x = 0; x < width; ++x) {
      const float* place = from + 2 * y * line + 2 * x * stride;
      frame.kernels.mean4(count, place, place + stride, place + line, place + line + stride, spare + x * count);
    }
  } else if (in.down2) {
    row.scale *= 0.25f;
    for (std::int64_t x = 0; x < width; ++x) std::copy_n(from + y / 2 * line + x / 2 * stride, count, spare + x * count);
  } else {
    row.gradient = from + y * line;
    row.gradient_stride = stride;
  }
  if (in.source.present()) {
    row.source = frame.at(in.source.buffer, sample) + y * width * in.source.channels + c;
    row.source_stride = in.source.channels;
  }
  if (in.load.affine != kNone) {
    row.a = frame.at(in.load.affine, sample) + in.first + c;
    row.b = row.a + gradient.channels;
  }
  row.silu = in.load.silu;
  return row;
}

class LoadSums final : public Step {
 public:
  explicit LoadSums(const LoadSumsOp& op) : op_(op) {}
  std::int64_t scratch_floats() const override { return op_.in.source.width * kGroup; }

  void run(const Frame& frame) const override {
    const Feature& source = op_.in.source;
    const std::int64_t channels = source.channels, groups = (channels + kGroup - 1) / kGroup;
    frame.pool.parallel_for(frame.samples * groups, [&](std::int64_t from, std::int64_t to, int thread) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::int64_t sample = i / groups, c = i % groups * kGroup, count = std::min(kGroup, channels - c);
        double centred[kGroup] = {}, plain[kGroup] = {};
        for (std::int64_t y = 0; y < source.height; ++y) {
          const PullRow row = row_of(frame, op_.in, sample, y, source.width, c, count, frame.of_thread(thread));
          frame.kernels.pull_sums(source.width, count, row, frame.at(op_.stats, sample) + c, centred, plain);
        }
        float* out = frame.at(op_.out, sample) + op_.in.first + c;
        for (std::int64_t k = 0; k < count; ++k) {
          out[k] = static_cast<float>(centred[k]);
          out[op_.in.gradient.channels + k] = static_cast<float>(plain[k]);
        }
      }
    });
  }

 private:
  LoadSumsOp op_;
};

class Pullback final : public Step {
 public:
  explicit Pullback(const PullbackOp& op) : op_(op) {}
  std::int64_t scratch_floats() const override { return std::int64_t{1} * op_.out.width * op_.out.channels; }

  void run(const Frame& frame) const override {
    const Feature& to = op_.out;
    const std::int64_t channels = to.channels, height = to.height, width = to.width;
    frame.pool.parallel_for(frame.samples * height, [&](std::int64_t from, std::int64_t last, int thread) {
      for (std::int64_t i = from; i < last; ++i) {
        const std::int64_t sample = i / height, y = i % height;
        const PullRow row = row_of(frame, op_.in, sample, y, width, 0, channels, frame.of_thread(thread));
        const float* slope = op_.slopes == kNone ? nullptr : frame.at(op_.slopes, sample) + op_.in.first;
        frame.kernels.pull(width, channels, row, slope, slope ? slope + op_.in.gradient.channels : nullptr,
                           frame.at(to.buffer, sample) + y * width * channels, channels, op_.accumulate);
      }
    });
  }

 private:
  PullbackOp op_;
};

class SiluBackward final : public Step {
 public:
  explicit SiluBackward(const SiluBackwardOp& op) : op_(op) {}
  void run(const Frame& frame) const override {
    for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
      PullRow row;
      row.gradient = frame.at(op_.gradient, sample);
      row.source = frame.at(op_.in, sample);
      row.silu = true;
      frame.kernels.pull(1, op_.elements, row, nullptr, nullptr, frame.at(op_.out, sample), 0, false);
    }
  }

 private:
  SiluBackwardOp op_;
};

class ChannelSum final : public Step {
 public:
  explicit ChannelSum(const ChannelSumOp& op) : op_(op) {}

  void run(const Frame& frame) const override {
    const std::int64_t channels = op_.in.channels, groups = (channels + kGroup - 1) / kGroup, width = op_.in.width;
    frame.pool.parallel_for(frame.samples * groups, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::int64_t sample = i / groups, c = i % groups * kGroup, count = std::min(kGroup, channels - c);
        double sums[kGroup] = {};
        PullRow row;
        row.gradient_stride = channels;
        for (std::int64_t y = 0; y < op_.in.height; ++y) {
          row.gradient = frame.at(op_.in.buffer, sample) + y * width * channels + c;
          frame.kernels.pull_sums(width, count, row, nullptr, nullptr, sums);
        }
        float* out = frame.at(op_.out, sample) + c;
        for (std::int64_t k = 0; k < count; ++k) out[k] = static_cast<float>(static_cast<double>(op_.scale) * sums[k]);
      }
    });
  }

 private:
  ChannelSumOp op_;
};

}  // namespace

std::unique_ptr<Step> make_load_sums(const LoadSumsOp& op) { return std::make_unique<LoadSums>(op); }
std::unique_ptr<Step> make_pullback(const PullbackOp& op) { return std::make_unique<Pullback>(op); }
std::unique_ptr<Step> make_silu_backward(const SiluBackwardOp& op) { return std::make_unique<SiluBackward>(op); }
std::unique_ptr<Step> make_channel_sum(const ChannelSumOp& op) { return std::make_unique<ChannelSum>(op); }

}  // namespace diffcert::cpu
