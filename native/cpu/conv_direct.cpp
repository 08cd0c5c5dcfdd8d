// The fused convolution as plain matrix products: 1x1, few or odd channels, and paddings that fused resampling brings.
//
// The rows of an item are staged with their zeros; then a kernel row of taps of one pixel is contiguous (kernel * Cin floats), so
// a 3x3 is three products a row of pixels, with no copy per tap. An output's sum runs over (ky, kx, channel), ascending. A 1x1
// without load or resampling reads its sources where they lie.
#include <algorithm>

#include "cpu/conv.hpp"
#include "cpu/pack.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kPixels = 128;  // an item's pixels, about: enough rows to reuse each weight panel

class DirectConv final : public ConvStep {
 public:
  DirectConv(const ConvOp& op, const WeightSource& weights)
      : ConvStep(op, weights),
        item_rows_(std::clamp<std::int64_t>(kPixels / width_, 1, height_)),
        chunks_((height_ + item_rows_ - 1) / item_rows_),
        raw_(op.kernel == 1 && op.padding == 0 && op.load.affine == kNone && !op.load.silu && resampling_ == Resampling::none) {
    const auto& values = weights(op.weight);
    const std::int64_t kernel = op.kernel;
    for (std::int64_t ky = 0; !raw_ && ky < kernel; ++ky) {
      products_.emplace_back(packed_size(kernel * channels_, out_channels_));
      pack(kernel * channels_, out_channels_, products_.back().data(), [&](std::int64_t k, std::int64_t n) {
        return tap(values, n, k % channels_, ky, k / channels_);
      });
    }
    for (std::int64_t s = 0, first = 0; raw_ && s < 2 && op.src[s].present(); first += op.src[s].channels, ++s) {
      products_.emplace_back(packed_size(op.src[s].channels, out_channels_));
      pack(op.src[s].channels, out_channels_, products_.back().data(), [&](std::int64_t k, std::int64_t n) {
        return tap(values, n, first + k, 0, 0);
      });
    }
  }

  std::int64_t weight_floats() const override {
    std::int64_t sum = ConvStep::weight_floats();
    for (const auto& product : products_) sum += product.size();
    return sum;
  }
  std::int64_t scratch_floats() const override { return layout().end; }

  void run(const Frame& frame) const override {
    frame.pool.parallel_for(frame.samples * chunks_, [&](std::int64_t from, std::int64_t to, int thread) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::int64_t y = i % chunks_ * item_rows_;
        run_item(frame, i / chunks_, y, std::min(item_rows_, height_ - y), frame.of_thread(thread));
      }
    });
    if (op_.stats != kNone) run_statistics(frame, op_.out, op_.stats);
  }

 private:
  struct Layout {
    std::int64_t values, staged, spare, bias, end;
  };

  Layout layout() const {
    Layout l{};
    l.values = 0;
    l.staged = l.values + item_rows_ * width_ * out_channels_;
    l.spare = l.staged + (raw_ ? 0 : (item_rows_ + op_.kernel - 1) * (width_ + op_.kernel - 1) * channels_);
    l.bias = l.spare + std::max(raw_ ? 0 : 4 * (width_ + op_.kernel) * channels_, prior_floats(item_rows_));
    l.end = (l.bias + out_channels_ + 15) / 16 * 16;
    return l;
  }

  void run_item(const Frame& frame, std::int64_t sample, std::int64_t y, std::int64_t rows, float* scratch) const {
    const Layout l = layout();
    float* values = scratch + l.values;
    if (raw_) {
      multiply_raw(frame, sample, y, rows, values);
    } else {
      multiply_staged(frame, sample, y, rows, values, scratch + l.staged, scratch + l.spare);
    }
    write_prior(frame, sample, y, rows, scratch + l.spare);
    frame.kernels.finish(rows * width_, out_channels_, values, out_channels_,
                         frame.at(op_.out.buffer, sample) + y * width_ * out_channels_, out_channels_,
                         finish(frame, sample, y, scratch + l.bias));
  }

  void multiply_raw(const Frame& frame, std::int64_t sample, std::int64_t y, std::int64_t rows, float* values) const {
    for (std::size_t s = 0; s < products_.size(); ++s) {
      const std::int64_t channels = op_.src[s].channels;
      frame.kernels.gemm(rows * width_, out_channels_, channels,
                         frame.at(op_.src[s].buffer, sample) + y * width_ * channels, channels, products_[s].data(), values,
                         out_channels_, s > 0);
    }
  }

  void multiply_staged(const Frame& frame, std::int64_t sample, std::int64_t y, std::int64_t rows, float* values, float* staged,
                       float* spare) const {
    const std::int64_t kernel = op_.kernel, wide = width_ + kernel - 1;
    for (int s = 0; s < 2; ++s) {
      if (source_channels(s) == 0) continue;
      stage(frame.kernels, source(frame, s, 0, sample), source_channels(s), y - op_.padding, rows + kernel - 1, -op_.padding,
            wide, staged + (s == 0 ? 0 : source_channels(0)), channels_, spare);
    }
    if (kernel == 1) {
      frame.kernels.gemm(rows * width_, out_channels_, channels_, staged, channels_, products_[0].data(), values, out_channels_,
                         false);
      return;
    }
    for (std::int64_t ky = 0; ky < kernel; ++ky) {
      for (std::int64_t r = 0; r < rows; ++r) {
        frame.kernels.gemm(width_, out_channels_, kernel * channels_, staged + (r + ky) * wide * channels_, channels_,
                           products_[static_cast<std::size_t>(ky)].data(), values + r * width_ * out_channels_, out_channels_,
                           ky > 0);
      }
    }
  }

  std::int64_t item_rows_, chunks_;
  bool raw_;
  std::vector<AlignedBuffer<float>> products_;  // one a row of the kernel; of a raw 1x1, one a source
};

}  // namespace

std::unique_ptr<Step> make_direct_conv(const ConvOp& op, const WeightSource& weights) {
  return std::make_unique<DirectConv>(op, weights);
}

}  // namespace diffcert::cpu
