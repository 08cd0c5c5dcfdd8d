// SongUNet: DDPM++ and NCSN++, with all their encoder and decoder types (Song et al. 2021 as reparameterised in EDM).
#include <algorithm>
#include <cmath>
#include <string>

#include "unet/planner.hpp"

namespace diffcert {
namespace {

BufferId embedding(Planner& planner) {
  const NetworkConfig& config = planner.config();
  const std::int32_t channels = config.model_channels * config.channel_mult_noise;
  const std::int32_t features = config.model_channels * config.channel_mult_emb;
  const bool fourier = config.embedding_type == Embedding::fourier;
  const WeightId freqs = fourier ? planner.weight("model.map_noise.freqs", {channels / 2}) : kNone;
  BufferId sum = planner.embed(channels, true, true, freqs);
  if (config.label_dim > 0) {
    sum = planner.linear("model.map_label", planner.label(), config.label_dim, channels, true, false, sum,
                         std::sqrt(static_cast<float>(config.label_dim)));
  }
  sum = planner.augmented(channels, sum);
  const BufferId hidden = planner.linear("model.map_layer0", sum, channels, features, true, true);
  return planner.linear("model.map_layer1", hidden, features, features, true, true);
}

}  // namespace

Value build_song_unet(Planner& planner) {
  const NetworkConfig& config = planner.config();
  BlockOptions options;
  options.embedding = embedding(planner);
  options.embedding_features = config.model_channels * config.channel_mult_emb;
  options.resample_filter = config.resample_filter;
  options.resample_projection = true;
  options.eps = 1e-6;
  options.skip_scale = std::sqrt(0.5f);
  const auto attends = [&](std::int32_t resolution) {
    return std::find(config.attn_resolutions.begin(), config.attn_resolutions.end(), resolution) != config.attn_resolutions.end();
  };
  const auto name = [](const char* part, std::int32_t resolution, const std::string& layer) {
    return std::string("model.") + part + "." + std::to_string(resolution) + "x" + std::to_string(resolution) + "_" + layer;
  };
  const auto levels = static_cast<std::int32_t>(config.channel_mult.size());

  std::vector<Value> skips;
  Value x = planner.image(), aux = x;
  for (std::int32_t level = 0; level < levels; ++level) {
    const std::int32_t resolution = config.img_resolution >> level;
    if (level == 0) {
      x = planner.conv(name("enc", resolution, "conv"), x, config.model_channels, 3);
    } else {
      x = planner.block(name("enc", resolution, "down"), {x}, x.feature.channels, Planner::Scale::down, false, options);
      if (config.encoder_type == CoderType::skip) {
        aux = planner.resample(name("enc", resolution, "aux_down"), aux, false, config.resample_filter, {}, false);
        x = planner.conv(name("enc", resolution, "aux_skip"), aux, x.feature.channels, 1, {}, &x);
      } else if (config.encoder_type == CoderType::residual) {
        const Value residual = planner.conv_down(name("enc", resolution, "aux_residual"), aux, x.feature.channels, config.resample_filter);
        x = aux = planner.add(x, residual, std::sqrt(0.5f));
      }
    }
    skips.push_back(x);
    for (std::int32_t i = 0; i < config.num_blocks; ++i) {
      x = planner.block(name("enc", resolution, "block" + std::to_string(i)), {x},
                        config.model_channels * config.channel_mult[static_cast<std::size_t>(level)], Planner::Scale::keep,
                        attends(resolution), options);
      skips.push_back(x);
    }
  }

  Value output;
  for (std::int32_t level = levels - 1; level >= 0; --level) {
    const std::int32_t resolution = config.img_resolution >> level;
    if (level == levels - 1) {
      x = planner.block(name("dec", resolution, "in0"), {x}, x.feature.channels, Planner::Scale::keep, true, options);
      x = planner.block(name("dec", resolution, "in1"), {x}, x.feature.channels, Planner::Scale::keep, false, options);
    } else {
      x = planner.block(name("dec", resolution, "up"), {x}, x.feature.channels, Planner::Scale::up, false, options);
    }
    for (std::int32_t i = 0; i <= config.num_blocks; ++i) {
      x = planner.block(name("dec", resolution, "block" + std::to_string(i)), {x, skips.back()},
                        config.model_channels * config.channel_mult[static_cast<std::size_t>(level)], Planner::Scale::keep,
                        i == config.num_blocks && attends(resolution), options);
      skips.pop_back();
    }
    if (config.decoder_type == CoderType::skip || level == 0) {
      const bool first = !output.feature.present();
      if (!first) output = planner.resample(name("dec", resolution, "aux_up"), output, true, config.resample_filter, {}, false);
      const Load load = planner.norm(name("dec", resolution, "aux_norm"), {x}, 1e-6, true);
      output = planner.conv(name("dec", resolution, "aux_conv"), x, config.out_channels(), 3, load, first ? nullptr : &output);
    }
  }
  return output;
}

}  // namespace diffcert
