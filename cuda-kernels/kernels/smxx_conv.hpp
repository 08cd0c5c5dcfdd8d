// The fused convolution, computed in float32: parameters and grid. Any architecture and any shape; the parity form of sm80_conv and sm90_conv.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// ConvOp: out = scale * (((sum + bias) + shift) + residual), sum = one chain of fma over (ky, kx, channel of both sources), then over
// the channels of both skips. Statistics are a launch of their own (smxx_norm).
struct ConvParams {
  FeatureSpan src[2];            // n x [height][width][src_channels[i]]
  Span<const float> affine;      // n x [2 * channels] or absent
  Span<const float> weight;      // [kernel * kernel][channels][out_channels]
  FeatureSpan skip[2];           // n x [out_height][out_width][skip_channels[i]] or absent
  Span<const float> skip_weight; // [skip channels][out_channels]
  Span<const float> bias;        // [out_channels]: the convolution's and the skip's
  Span<const float> shift;       // n x [out_channels] or absent
  FeatureSpan residual[2];       // n x [residual_height][residual_width][residual_channels[i]] or absent
  FeatureSpan out;               // n x [out_height][out_width][out_channels]
  std::int32_t src_channels[2], skip_channels[2], residual_channels[2];
  std::int32_t height, width, out_height, out_width, out_channels, residual_height, residual_width;
  std::int32_t kernel, padding;
  float scale;
  bool silu, up2, down2, residual_up2, residual_down2;
};

// A block makes kConvPixels pixels x kConvOutputs channels of one sample, in steps of kConvDepth input channels; a thread 4 x 4 of it.
inline constexpr int kConvPixels = 64, kConvOutputs = 64, kConvDepth = 16, kConvThreads = 256;
inline constexpr int kConvShared = kConvDepth * (kConvPixels + kConvOutputs) * 4;

}  // namespace diffcert
