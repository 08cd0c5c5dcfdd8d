// The configurations of the golden networks, as their files' metadata give them.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "diffcert/diffcert.h"

inline dc_network_config golden_config(const std::string& name) {
  dc_network_config c{};
  c.heads = 1;
  const auto list = [](std::int32_t* values, std::int32_t& length, std::initializer_list<std::int32_t> from) {
    std::copy(from.begin(), from.end(), values);
    length = static_cast<std::int32_t>(from.size());
  };
  c.img_resolution = 32, c.img_channels = 3, c.label_dim = 10, c.model_channels = 32, c.num_blocks = 1;
  c.channel_mult_emb = 4, c.channel_mult_noise = 1;
  c.sigma_data = 0.5, c.beta_d = 19.9, c.beta_min = 0.1, c.epsilon_t = 1e-5, c.c_1 = 0.001, c.c_2 = 0.008, c.m = 1000;
  list(c.channel_mult, c.channel_mult_len, {1, 2, 2});
  list(c.attn_resolutions, c.attn_resolutions_len, {16});
  list(c.resample_filter, c.resample_filter_len, {1, 1});
  if (name == "ddpmpp-edm") {
    c.augment_dim = 9;
  } else if (name == "ddpmpp-vp-uncond") {
    c.precond = 1, c.img_resolution = 16, c.label_dim = 0, c.num_blocks = 2;
    list(c.channel_mult, c.channel_mult_len, {2, 2});
  } else if (name == "ncsnpp-edm-gray" || name == "ncsnpp-ve") {
    c.embedding_type = 1, c.encoder_type = 2, c.channel_mult_noise = 2;
    list(c.resample_filter, c.resample_filter_len, {1, 3, 3, 1});
    if (name == "ncsnpp-ve") {
      c.precond = 2, c.augment_dim = 9;
    } else {
      c.img_resolution = 28, c.img_channels = 1;
      list(c.channel_mult, c.channel_mult_len, {1, 2});
      list(c.attn_resolutions, c.attn_resolutions_len, {14});
    }
  } else if (name == "adm-edm" || name == "adm-iddpm") {
    c.architecture = 1, c.model_channels = 64;
    if (name == "adm-edm") {
      c.label_dim = 1000;
      list(c.channel_mult, c.channel_mult_len, {1, 2});
    } else {
      c.precond = 3;
      list(c.channel_mult, c.channel_mult_len, {1, 1});
    }
  } else {
    throw std::runtime_error("no golden network " + name);
  }
  return c;
}
