#include "bench/networks.hpp"

#include <cmath>
#include <initializer_list>

#include "bench/conv_case.hpp"

namespace diffcert::bench {

dc_network_config published_constants() {
  dc_network_config c{};
  c.heads = 1;
  c.channel_mult_emb = 4;
  c.channel_mult_noise = 1;
  c.resample_filter_len = 2;
  c.resample_filter[0] = c.resample_filter[1] = 1;
  c.sigma_data = 0.5;
  c.beta_d = 19.9;
  c.beta_min = 0.1;
  c.epsilon_t = 1e-5;
  c.c_1 = 0.001;
  c.c_2 = 0.008;
  c.m = 1000;
  return c;
}

namespace {

dc_network_config base(int architecture, int precond, int resolution, int channels, int labels, int model_channels,
                       std::initializer_list<int> mult, int blocks, std::initializer_list<int> attention) {
  dc_network_config c = published_constants();
  c.architecture = architecture;
  c.precond = precond;
  c.img_resolution = resolution;
  c.img_channels = channels;
  c.label_dim = labels;
  c.model_channels = model_channels;
  for (const int m : mult) c.channel_mult[c.channel_mult_len++] = m;
  c.num_blocks = blocks;
  for (const int a : attention) c.attn_resolutions[c.attn_resolutions_len++] = a;
  return c;
}

dc_network_config ncsn(dc_network_config c, int encoder, int decoder) {
  c.embedding_type = 1;
  c.encoder_type = encoder;
  c.decoder_type = decoder;
  c.channel_mult_noise = 2;
  c.resample_filter_len = 4;
  for (int i = 0; i < 4; ++i) c.resample_filter[i] = i == 0 || i == 3 ? 1 : 3;
  return c;
}

}  // namespace

std::vector<NamedConfig> published_networks() {
  dc_network_config cifar = base(0, 0, 32, 3, 10, 128, {2, 2, 2}, 4, {16});
  cifar.augment_dim = 9;
  return {{"cifar10", cifar},
          {"imagenet64", base(1, 0, 64, 3, 1000, 192, {1, 2, 3, 4}, 3, {32, 16, 8})},
          {"mnist", base(0, 0, 28, 1, 10, 32, {1, 2}, 1, {14})}};
}

std::vector<NamedConfig> small_networks() {
  return {{"ddpm++ edm", base(0, 0, 16, 3, 10, 16, {1, 2}, 1, {8})},
          {"ddpm++ edm, a residual of two sources", base(0, 0, 8, 3, 10, 16, {2, 1}, 0, {})},
          {"ddpm++ vp, odd sizes", base(0, 1, 14, 1, 0, 32, {1, 1}, 1, {7})},
          {"ncsn++ ve, residual encoder", ncsn(base(0, 2, 16, 3, 4, 16, {1, 2}, 1, {8}), 2, 0)},
          {"ncsn++ edm, skip encoder and decoder", ncsn(base(0, 0, 16, 1, 4, 32, {1, 1}, 1, {}), 1, 1)},
          {"adm edm", base(1, 0, 16, 3, 10, 64, {1, 2}, 1, {8})},
          {"adm iddpm", base(1, 3, 8, 3, 10, 64, {1}, 1, {8})}};
}

void set_random_weights(Network& network) {
  std::uint32_t seed = 1;
  for (const Weight& weight : network.weights()) {
    if (weight.computed) continue;
    std::int64_t count = 1;
    for (const std::int64_t d : weight.shape) count *= d;
    auto values = random_floats(count, ++seed);
    const bool vector = weight.shape.size() == 1;
    const double fan_in = vector ? 1 : static_cast<double>(count / weight.shape[0]);
    const float bound = vector ? 0.3f : static_cast<float>(std::sqrt(3.0 / fan_in));
    const bool gamma = vector && weight.name.find("norm") != std::string::npos && weight.name.ends_with("weight");
    for (float& v : values) v = v * bound + (gamma ? 1.0f : 0.0f);
    network.set_weight(weight.name, values);
  }
}

}  // namespace diffcert::bench
