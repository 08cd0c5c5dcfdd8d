// Preconditioning of images that lie on the device: parameters and grids. Any architecture, float32, bound by memory.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// out = factor of the sample * in, from planes to channels last. One thread an element.
struct ScaleParams {
  Span<const float> in;       // n x [channels][pixels]
  Span<const float> factors;  // [n]
  Span<float> out;            // n x [pixels][channels]
  std::int32_t pixels, channels;
};

// out = skip * in + scale * network, the network's further channels left out.
struct DenoisedParams {
  Span<const float> in;       // n x [channels][pixels]
  Span<const float> network;  // n x [pixels][network_channels]
  Span<const float> skip;     // [n]
  Span<const float> scale;    // [n]
  Span<float> out;            // n x [channels][pixels]
  std::int32_t pixels, channels, network_channels;
};
inline constexpr int kPrecondThreads = 256;

}  // namespace diffcert
