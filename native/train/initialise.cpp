#include "train/initialise.hpp"

#include <cmath>
#include <string>

#include "core/noise.hpp"

namespace diffcert {
namespace {

// SongUNet: uniform in +-sqrt(6 / (fan in + fan out)) times a factor, biases zero. DhariwalUNet: uniform in +-sqrt(1 / fan in), biases of the same
// size; layers that end a residual path are zero (a hundred-thousandth in SongUNet).
struct Law {
  double bound = 0;     // uniform in +-bound
  double centre = 0;
  double deviation = 0; // normal, instead
};

bool is_any(const std::string& name, std::initializer_list<const char*> ends) {
  for (const char* end : ends) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

Law law_of(const NetworkConfig& config, const Weight& weight, double fan_in, double fan_out) {
  const bool song = config.architecture == Architecture::song, bias = weight.name.ends_with(".bias");
  const std::string layer = weight.name.substr(0, weight.name.rfind('.'));
  const bool norm = layer.find("norm") != std::string::npos;
  const bool ending = is_any(layer, {".conv1", ".proj", "aux_conv", ".out_conv"});
  if (weight.name.ends_with("map_noise.freqs")) return {0, 0, 16};
  if (norm) return {0, bias ? 0.0 : 1.0, 0};
  if (song) {
    const double factor = bias ? 0 : ending ? 1e-5 : layer.ends_with(".qkv") ? std::sqrt(0.2) : 1;
    return {factor * std::sqrt(6 / (fan_in + fan_out)), 0, 0};
  }
  if (ending) return {};
  if (layer.ends_with("map_label")) return {0, 0, std::sqrt(static_cast<double>(config.label_dim)) * std::sqrt(1 / fan_in)};
  if (layer.ends_with("map_augment")) return {0, 0, 0};
  return {std::sqrt(1 / fan_in), 0, 0};
}

}  // namespace

std::vector<float> initial_weight(const Network& network, WeightId w, std::uint64_t seed) {
  const std::vector<Weight>& weights = network.weights();
  const Weight& weight = weights[static_cast<std::size_t>(w)];
  if (weight.computed) return {};
  // A bias has the fans of the weight before it.
  const bool bias = weight.shape.size() == 1 && weight.name.ends_with(".bias") && w > 0;
  const Weight& matrix = bias ? weights[static_cast<std::size_t>(w) - 1] : weight;
  const std::int64_t count = weight.count();
  std::int64_t taps = 1;
  for (std::size_t i = 2; i < matrix.shape.size(); ++i) taps *= matrix.shape[i];
  const double fan_in = static_cast<double>((matrix.shape.size() > 1 ? matrix.shape[1] : 1) * taps);
  const Law law = law_of(network.config(), weight, fan_in, static_cast<double>(matrix.shape[0] * taps));
  const NoiseKey key{seed, static_cast<std::uint32_t>(w), 0, 0};
  std::vector<double> normals(law.deviation > 0 ? static_cast<std::size_t>(count) : 0);
  draw_normals(key, NoiseStream::training, 2, normals);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    double v = law.centre;
    if (law.deviation > 0) v += law.deviation * normals[i];
    if (law.bound > 0) {
      const std::uint64_t bits = key.uniforms(NoiseStream::training, 2, static_cast<std::uint32_t>(i / 2))[i % 2];
      v += law.bound * ((static_cast<double>(bits >> 11) + 0.5) * 0x1p-52 - 1);
    }
    values[i] = static_cast<float>(v);
  }
  return values;
}

}  // namespace diffcert
