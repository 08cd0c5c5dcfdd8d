// Small models for tests, with weights that are a pure function of a seed.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "abi/handles.hpp"
#include "bench/networks.hpp"
#include "core/noise.hpp"

namespace tiny {

inline dc_network_config config(std::int32_t resolution, std::int32_t channels, std::int32_t classes) {
  dc_network_config c = diffcert::bench::published_constants();
  c.img_resolution = resolution;
  c.img_channels = channels;
  c.label_dim = classes;
  c.model_channels = 16;
  c.channel_mult_len = 2;
  c.channel_mult[0] = 1;
  c.channel_mult[1] = 2;
  c.num_blocks = 1;
  c.attn_resolutions_len = 1;
  c.attn_resolutions[0] = resolution / 2;
  return c;
}

// The same with a head for each class, and one for no class, instead of a label.
inline dc_network_config with_heads(std::int32_t resolution, std::int32_t channels, std::int32_t classes) {
  dc_network_config c = config(resolution, channels, 0);
  c.heads = classes + 1;
  return c;
}

// Random weights of a size that keeps activations near one; output_scale multiplies the last convolution's.
inline void fill(diffcert::Network& network, std::uint64_t seed, std::int64_t max_batch, float output_scale = 1.0f) {
  std::uint32_t index = 0;
  for (const diffcert::Weight& weight : network.weights()) {
    ++index;
    if (weight.computed) continue;
    const std::int64_t count = weight.count();
    std::vector<double> normals(static_cast<std::size_t>(count));
    diffcert::draw_normals({seed, index, 1, 0}, diffcert::NoiseStream::level, 0, normals);
    const bool matrix = weight.shape.size() > 1;
    const double scale = matrix ? 1 / std::sqrt(static_cast<double>(count / weight.shape[0])) : 0.1;
    const double centre = !matrix && weight.name.find("norm") != std::string::npos && weight.name.ends_with("weight") ? 1 : 0;
    const bool last = weight.name.find("aux_conv") != std::string::npos;
    std::vector<float> data(static_cast<std::size_t>(count));
    std::transform(normals.begin(), normals.end(), data.begin(),
                   [&](double z) { return static_cast<float>(centre + scale * z) * (last ? output_scale : 1.0f); });
    network.set_weight(weight.name, data);
  }
  network.finish(max_batch);
}

}  // namespace tiny
