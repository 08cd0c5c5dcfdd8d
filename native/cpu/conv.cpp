#include "cpu/conv.hpp"

#include <algorithm>

#include "core/status.hpp"
#include "cpu/pack.hpp"

namespace diffcert::cpu {

ConvStep::ConvStep(const ConvOp& op, const WeightSource& weights)
    : op_(op),
      resampling_(resampling(op.up2, op.down2)),
      channels_(op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0)),
      height_(op.out.height),
      width_(op.out.width),
      out_channels_(op.out.channels),
      residual_resampling_(resampling(op.residual_up2, op.residual_down2)),
      bias_(packed_size(1, op.out.channels)) {
  invariant(resampled(op.src[0].height, resampling_) + 2 * op.padding - op.kernel + 1 == height_ &&
                resampled(op.src[0].width, resampling_) + 2 * op.padding - op.kernel + 1 == width_,
            "a convolution's output has another size than its input gives");
  for (const WeightId bias : {op.bias, op.skip_bias}) {
    if (bias == kNone) continue;
    const auto& values = weights(bias);
    for (std::int64_t c = 0; c < out_channels_; ++c) bias_[c] = bias_[c] + values[static_cast<std::size_t>(c)];
  }
  invariant(op.skip[0].present() == (op.skip_weight != kNone), "a skip without its weight");
  if (!op.skip[0].present()) return;
  const auto& matrix = weights(op.skip_weight);
  const std::int64_t all = op.skip[0].channels + (op.skip[1].present() ? op.skip[1].channels : 0);
  for (std::int64_t s = 0, first = 0; s < 2 && op.skip[s].present(); first += op.skip[s].channels, ++s) {
    skip_[s] = AlignedBuffer<float>(packed_size(op.skip[s].channels, out_channels_));
    pack(op.skip[s].channels, out_channels_, skip_[s].data(),
         [&](std::int64_t k, std::int64_t n) { return matrix[static_cast<std::size_t>(n * all + first + k)]; });
  }
}

Source ConvStep::source(const Frame& frame, int s, std::int64_t c, std::int64_t sample) const {
  const Feature& feature = op_.src[s];
  Source source;
  source.data = frame.at(feature.buffer, sample) + c;
  source.height = feature.height;
  source.width = feature.width;
  source.stride = feature.channels;
  if (op_.load.affine != kNone) {
    source.a = frame.at(op_.load.affine, sample) + (s == 0 ? 0 : op_.src[0].channels) + c;
    source.b = source.a + channels_;
  }
  source.silu = op_.load.silu;
  source.resampling = resampling_;
  return source;
}

std::int64_t ConvStep::prior_floats(std::int64_t rows) const {
  return built_residual() ? (rows + 4) * width_ * out_channels_ : 0;  // 4 rows more: what staging a mean needs
}

void ConvStep::write_prior(const Frame& frame, std::int64_t sample, std::int64_t y, std::int64_t rows, float* spare) const {
  float* out = frame.at(op_.out.buffer, sample) + y * width_ * out_channels_;
  const std::int64_t pixels = rows * width_;
  for (int s = 0; s < 2 && op_.skip[s].present(); ++s) {
    const std::int64_t channels = op_.skip[s].channels;
    frame.kernels.gemm(pixels, out_channels_, channels, frame.at(op_.skip[s].buffer, sample) + y * width_ * channels, channels,
                       skip_[s].data(), out, out_channels_, s > 0);
  }
  if (!built_residual()) return;
  std::int64_t first = 0;
  for (const Feature& part : {op_.residual, op_.residual_tail}) {
    if (!part.present()) continue;
    Source source;
    source.data = frame.at(part.buffer, sample);
    source.height = part.height;
    source.width = part.width;
    source.stride = part.channels;
    source.resampling = residual_resampling_;
    stage(frame.kernels, source, part.channels, y, rows, 0, width_, spare + first, out_channels_, spare + pixels * out_channels_);
    first += part.channels;
  }
  if (op_.skip[0].present()) {
    frame.kernels.add(pixels * out_channels_, out, spare, 1.0f, out);
  } else {
    std::copy_n(spare, pixels * out_channels_, out);
  }
}

Finish ConvStep::finish(const Frame& frame, std::int64_t sample, std::int64_t y, float* bias) const {
  Finish finish;
  finish.bias = bias_.data();
  if (op_.shift != kNone) {
    frame.kernels.add(out_channels_, bias_.data(), frame.at(op_.shift, sample), 1.0f, bias);
    finish.bias = bias;
  }
  finish.prior = op_.skip[0].present() || built_residual();
  if (op_.residual.present() && !built_residual()) {
    finish.residual = frame.at(op_.residual.buffer, sample) + y * width_ * out_channels_;
  }
  finish.scale = op_.scale;
  return finish;
}

std::unique_ptr<Step> make_conv(const ConvOp& op, const WeightSource& weights) {
  return winograd_serves(op) ? make_winograd_conv(op, weights) : make_direct_conv(op, weights);
}

}  // namespace diffcert::cpu
