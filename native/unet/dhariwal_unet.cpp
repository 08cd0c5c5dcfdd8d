// DhariwalUNet: the ADM network (Dhariwal and Nichol 2021 as reparameterised in EDM).
#include <algorithm>
#include <string>

#include "unet/planner.hpp"

namespace diffcert {
namespace {

constexpr std::int32_t kChannelsPerHead = 64;

BufferId embedding(Planner& planner) {
  const NetworkConfig& config = planner.config();
  const std::int32_t channels = config.model_channels;
  const std::int32_t features = channels * config.channel_mult_emb;
  const BufferId position = planner.augmented(channels, planner.embed(channels, false, false, kNone));
  const BufferId hidden = planner.linear("model.map_layer0", position, channels, features, true, true);
  const BufferId label =
      config.label_dim > 0 ? planner.linear("model.map_label", planner.label(), config.label_dim, features, false, false) : kNone;
  return planner.linear("model.map_layer1", hidden, features, features, true, true, label);
}

}  // namespace

Value build_dhariwal_unet(Planner& planner) {
  const NetworkConfig& config = planner.config();
  BlockOptions options;
  options.embedding = embedding(planner);
  options.embedding_features = config.model_channels * config.channel_mult_emb;
  options.resample_filter = {1, 1};
  options.adaptive = true;
  options.channels_per_head = kChannelsPerHead;
  const auto attends = [&](std::int32_t resolution) {
    return std::find(config.attn_resolutions.begin(), config.attn_resolutions.end(), resolution) != config.attn_resolutions.end();
  };
  const auto name = [](const char* part, std::int32_t resolution, const std::string& layer) {
    return std::string("model.") + part + "." + std::to_string(resolution) + "x" + std::to_string(resolution) + "_" + layer;
  };
  const auto levels = static_cast<std::int32_t>(config.channel_mult.size());

  std::vector<Value> skips;
  Value x = planner.image();
  for (std::int32_t level = 0; level < levels; ++level) {
    const std::int32_t resolution = config.img_resolution >> level;
    const std::int32_t channels = config.model_channels * config.channel_mult[static_cast<std::size_t>(level)];
    if (level == 0) {
      x = planner.conv(name("enc", resolution, "conv"), x, channels, 3);
    } else {
      x = planner.block(name("enc", resolution, "down"), {x}, x.feature.channels, Planner::Scale::down, false, options);
    }
    skips.push_back(x);
    for (std::int32_t i = 0; i < config.num_blocks; ++i) {
      x = planner.block(name("enc", resolution, "block" + std::to_string(i)), {x}, channels, Planner::Scale::keep, attends(resolution), options);
      skips.push_back(x);
    }
  }
  for (std::int32_t level = levels - 1; level >= 0; --level) {
    const std::int32_t resolution = config.img_resolution >> level;
    const std::int32_t channels = config.model_channels * config.channel_mult[static_cast<std::size_t>(level)];
    if (level == levels - 1) {
      x = planner.block(name("dec", resolution, "in0"), {x}, x.feature.channels, Planner::Scale::keep, true, options);
      x = planner.block(name("dec", resolution, "in1"), {x}, x.feature.channels, Planner::Scale::keep, false, options);
    } else {
      x = planner.block(name("dec", resolution, "up"), {x}, x.feature.channels, Planner::Scale::up, false, options);
    }
    for (std::int32_t i = 0; i <= config.num_blocks; ++i) {
      x = planner.block(name("dec", resolution, "block" + std::to_string(i)), {x, skips.back()}, channels, Planner::Scale::keep,
                        attends(resolution), options);
      skips.pop_back();
    }
  }
  const Load load = planner.norm("model.out_norm", {x}, 1e-5, true);
  return planner.conv("model.out_conv", x, config.out_channels(), 3, load);
}

}  // namespace diffcert
