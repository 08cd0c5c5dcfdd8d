// The description of a network, checked: what dc_network_config says, in the core's own form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffcert/diffcert.h"

namespace diffcert {

enum class Architecture : std::uint8_t { song, dhariwal };
enum class PrecondKind : std::uint8_t { edm, vp, ve, iddpm };
enum class Embedding : std::uint8_t { positional, fourier };
enum class CoderType : std::uint8_t { standard, skip, residual };

// Field names are the published constructors' options. All values have passed the checks of validate.
struct NetworkConfig {
  Architecture architecture = Architecture::song;
  PrecondKind precond = PrecondKind::edm;
  std::int32_t img_resolution = 0, img_channels = 0, label_dim = 0, heads = 1, augment_dim = 0;
  std::int32_t model_channels = 0;
  std::vector<std::int32_t> channel_mult;
  std::int32_t channel_mult_emb = 4, num_blocks = 0;
  std::vector<std::int32_t> attn_resolutions;
  Embedding embedding_type = Embedding::positional;
  std::int32_t channel_mult_noise = 1;
  CoderType encoder_type = CoderType::standard, decoder_type = CoderType::standard;
  std::vector<std::int32_t> resample_filter = {1, 1};
  double sigma_data = 0.5, beta_d = 19.9, beta_min = 0.1, epsilon_t = 1e-5, c_1 = 0.001, c_2 = 0.008;
  std::int32_t m = 1000;

  // Channels that the network itself gives: an image a head; iDDPM's second half is a variance that denoising does not use.
  std::int32_t out_channels() const { return precond == PrecondKind::iddpm ? 2 * img_channels : heads * img_channels; }
  // Several heads: one for each class, the last for no class. They share everything but the last convolution.
  bool multi_head() const { return heads > 1; }
  std::int32_t classes() const { return multi_head() ? heads - 1 : label_dim; }
  // Which of the network's images is a label's, -1 for none.
  std::int32_t head_of(std::int32_t label) const { return multi_head() ? (label < 0 ? heads - 1 : label) : 0; }
  std::int64_t image_elements() const { return std::int64_t{img_channels} * img_resolution * img_resolution; }
};

// What a plan for training has besides.
struct TrainingForm {
  bool augment = false;  // rows have augmentation labels, where the network has a map for them
  double dropout = 0;    // of what a block's second convolution reads
};

// Throws DC_BAD_ARGUMENT with a sentence that names the option.
NetworkConfig validate(const dc_network_config& config);

}  // namespace diffcert
