// D(x; sigma) = c_skip x + c_out F(c_in x), around the network, for images that a caller keeps on the device.
#include "kernels/device.cuh"
#include "kernels/smxx_precond.hpp"

namespace diffcert {

DC_KERNEL(scale, ScaleParams, kPrecondThreads) {
  const std::int64_t size = std::int64_t{1} * p.pixels * p.channels, sample = blockIdx.y;
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kPrecondThreads + threadIdx.x;
  if (i >= size) return;
  const Global<const float> in = Global<const float>(p.in).part(sample * size, size), factors(p.factors);
  const Global<float> out = Global<float>(p.out).part(sample * size, size);
  const std::int64_t pixel = i / p.channels, c = i % p.channels;
  out[i] = factors[sample] * in[c * p.pixels + pixel];
}

DC_KERNEL(denoised, DenoisedParams, kPrecondThreads) {
  const std::int64_t size = std::int64_t{1} * p.pixels * p.channels, sample = blockIdx.y;
  const std::int64_t i = std::int64_t{1} * blockIdx.x * kPrecondThreads + threadIdx.x;
  if (i >= size) return;
  const std::int64_t network_size = std::int64_t{1} * p.pixels * p.network_channels;
  const Global<const float> in = Global<const float>(p.in).part(sample * size, size), skip(p.skip), scale(p.scale);
  const Global<const float> network = Global<const float>(p.network).part(sample * network_size, network_size);
  const Global<float> out = Global<float>(p.out).part(sample * size, size);
  const std::int64_t c = i / p.pixels, pixel = i % p.pixels;
  out[i] = skip[sample] * in[i] + scale[sample] * network[pixel * p.network_channels + c];
}

}  // namespace diffcert
