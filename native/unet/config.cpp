#include "unet/config.hpp"

#include <cmath>
#include <span>

#include "core/status.hpp"

namespace diffcert {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw Error(DC_BAD_ARGUMENT, "The network configuration's " + option + " " + why + ".");
}

std::int32_t within(const char* option, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) {
    refuse(option, "is " + std::to_string(value) + ", which is not in " + std::to_string(low) + " to " + std::to_string(high));
  }
  return static_cast<std::int32_t>(value);
}

double positive(const char* option, double value) {
  if (!(value > 0) || !std::isfinite(value)) refuse(option, "must be positive and finite");
  return value;
}

std::vector<std::int32_t> list(const char* option, std::span<const std::int32_t, 16> values, std::int32_t length,
                               std::int32_t least, std::int32_t low, std::int32_t high) {
  if (length < least || length > 16) {
    refuse(option, "has " + std::to_string(length) + " entries, which is not " + std::to_string(least) + " to 16");
  }
  std::vector<std::int32_t> result;
  for (std::int32_t i = 0; i < length; ++i) result.push_back(within(option, values[static_cast<std::size_t>(i)], low, high));
  return result;
}

// The ops take symmetric filters whose resampling keeps the size an exact factor of two.
void check_filter(const std::vector<std::int32_t>& filter) {
  if (filter.size() % 2 != 0) refuse("resample_filter", "must have an even number of entries");
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] != filter[filter.size() - 1 - i]) refuse("resample_filter", "must be symmetric");
  }
}

void check_together(const NetworkConfig& c) {
  if (c.multi_head() && c.label_dim > 0) refuse("heads", "are " + std::to_string(c.heads) + " beside a label_dim; a network is told its class or has a head for each");
  if (c.multi_head() && c.precond == PrecondKind::iddpm) refuse("heads", "do not go with iDDPMPrecond, whose network gives variances, too");
  const auto halvings = c.channel_mult.size() - 1;
  if (c.img_resolution % (std::int64_t{1} << halvings) != 0) {
    refuse("img_resolution", "is " + std::to_string(c.img_resolution) + ", which cannot be halved " + std::to_string(halvings) +
                                 " times as channel_mult asks");
  }
  if (c.model_channels % 2 != 0 || (c.embedding_type == Embedding::positional && c.model_channels * c.channel_mult_noise < 4)) {
    refuse("model_channels", "must be even and at least 4");
  }
  if (c.architecture == Architecture::song) return;
  const bool plain = c.encoder_type == CoderType::standard && c.decoder_type == CoderType::standard &&
                     c.embedding_type == Embedding::positional && c.channel_mult_noise == 1 &&
                     c.resample_filter == std::vector<std::int32_t>{1, 1};
  if (!plain) {
    refuse("architecture", "is DhariwalUNet, which takes no encoder_type, decoder_type, embedding_type, channel_mult_noise or "
                           "resample_filter");
  }
}

}  // namespace

NetworkConfig validate(const dc_network_config& in) {
  NetworkConfig c;
  c.architecture = static_cast<Architecture>(within("architecture", in.architecture, 0, 1));
  c.precond = static_cast<PrecondKind>(within("precond", in.precond, 0, 3));
  c.img_resolution = within("img_resolution", in.img_resolution, 1, 1024);
  c.img_channels = within("img_channels", in.img_channels, 1, 1024);
  c.label_dim = within("label_dim", in.label_dim, 0, 1 << 20);
  c.heads = within("heads", in.heads, 1, 1 << 16);
  c.augment_dim = within("augment_dim", in.augment_dim, 0, 1 << 16);
  c.model_channels = within("model_channels", in.model_channels, 4, 1 << 14);
  c.channel_mult = list("channel_mult", in.channel_mult, in.channel_mult_len, 1, 1, 64);
  c.channel_mult_emb = within("channel_mult_emb", in.channel_mult_emb, 1, 64);
  c.num_blocks = within("num_blocks", in.num_blocks, 0, 64);
  c.attn_resolutions = list("attn_resolutions", in.attn_resolutions, in.attn_resolutions_len, 0, 1, 1024);
  c.embedding_type = static_cast<Embedding>(within("embedding_type", in.embedding_type, 0, 1));
  c.channel_mult_noise = within("channel_mult_noise", in.channel_mult_noise, 1, 64);
  c.encoder_type = static_cast<CoderType>(within("encoder_type", in.encoder_type, 0, 2));
  c.decoder_type = static_cast<CoderType>(within("decoder_type", in.decoder_type, 0, 1));
  c.resample_filter = list("resample_filter", in.resample_filter, in.resample_filter_len, 2, 1, 1 << 20);
  check_filter(c.resample_filter);
  c.sigma_data = positive("sigma_data", in.sigma_data);
  c.beta_d = positive("beta_d", in.beta_d);
  c.beta_min = positive("beta_min", in.beta_min);
  c.epsilon_t = positive("epsilon_t", in.epsilon_t);
  c.c_1 = positive("C_1", in.c_1);
  c.c_2 = positive("C_2", in.c_2);
  c.m = within("M", in.m, 1, 1 << 20);
  check_together(c);
  return c;
}

}  // namespace diffcert
