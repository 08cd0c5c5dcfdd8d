// What the two forms of the fused convolution share: geometry, sources, the 1x1 skip, bias and residual.
//
// The value of an output element, in both forms and on every instruction set:
//   scale * (((conv + bias) [+ prior]) [+ residual]),   bias = (bias + skip_bias) + shift,
//   prior = the 1x1 skip (channels of the first source, then of the second) + a residual that is resampled or a concatenation.
#pragma once

#include <cstdint>

#include "core/arena.hpp"
#include "cpu/staging.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {

class ConvStep : public Step {
 public:
  ConvStep(const ConvOp& op, const WeightSource& weights);
  std::int64_t weight_floats() const override { return bias_.size() + skip_[0].size() + skip_[1].size(); }

 protected:
  // The load of channels [c, ...) of source s, for one sample.
  Source source(const Frame& frame, int s, std::int64_t c, std::int64_t sample) const;
  // Rows [y, y + rows) of prior into out; spare: prior_floats(rows).
  void write_prior(const Frame& frame, std::int64_t sample, std::int64_t y, std::int64_t rows, float* spare) const;
  std::int64_t prior_floats(std::int64_t rows) const;
  // How the pixels from row y on are finished; bias: room for out channels.
  Finish finish(const Frame& frame, std::int64_t sample, std::int64_t y, float* bias) const;
  // The published weight from input channel c to output channel n; of an adjoint, from its other end.
  float tap(const std::vector<float>& values, std::int64_t n, std::int64_t c, std::int64_t ky, std::int64_t kx) const {
    const std::int64_t k = op_.kernel;
    const std::int64_t at = op_.transposed ? ((c * out_channels_ + n) * k + k - 1 - ky) * k + k - 1 - kx : ((n * channels_ + c) * k + ky) * k + kx;
    return values[static_cast<std::size_t>(at)];
  }
  std::int64_t source_channels(int s) const { return op_.src[s].present() ? op_.src[s].channels : 0; }

  ConvOp op_;
  Resampling resampling_;
  std::int64_t channels_, height_, width_, out_channels_;  // height_ and width_ of the output

 private:
  // The residual does not lie as out does.
  bool built_residual() const {
    return op_.residual.present() && (residual_resampling_ != Resampling::none || op_.residual_tail.present());
  }

  Resampling residual_resampling_;
  AlignedBuffer<float> bias_, skip_[2];
};

// Winograd serves 3x3 with padding 1 and channels in multiples of 16; the choice depends on the shape of the layer alone.
bool winograd_serves(const ConvOp& op);
std::unique_ptr<Step> make_winograd_conv(const ConvOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_direct_conv(const ConvOp& op, const WeightSource& weights);

}  // namespace diffcert::cpu
