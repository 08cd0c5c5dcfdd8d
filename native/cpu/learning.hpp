// What the two forms of a convolution weight's gradient share.
#pragma once

#include <cstdint>

#include "cpu/staging.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {

// One of the op's sources as the convolution loaded it; its channels begin at `first` of all.
inline Source source_of(const Frame& frame, const ConvGradientOp& op, const Feature& feature, std::int64_t first, std::int64_t sample) {
  Source source;
  source.data = frame.at(feature.buffer, sample);
  source.height = feature.height;
  source.width = feature.width;
  source.stride = feature.channels;
  if (op.load.affine != kNone) {
    source.a = frame.at(op.load.affine, sample) + first;
    source.b = source.a + op.src[0].channels + op.src[1].channels;
  }
  source.silu = op.load.silu;
  source.resampling = resampling(op.up2, op.down2);
  return source;
}

// The layers whose convolution goes by Winograd.
bool winograd_learns(const ConvGradientOp& op);
std::unique_ptr<Step> make_winograd_gradient(const ConvGradientOp& op);

}  // namespace diffcert::cpu
