// The training losses of Karras et al. 2022 and their siblings, a row at a time: which noise level, which weight.
//   EDM: ln s ~ N(mean, deviation^2), published -1.2 and 1.2, weight (s^2 + sd^2) / (s sd)^2
//   VP:  t uniform in [1e-5, 1], s = sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1), weight 1 / s^2
//   VE:  s log-uniform in [0.02, 100], weight 1 / s^2
// loss = weight * |D(y + s n; s) - y|^2, n standard normal.   Source: EDM, training/loss.py.
#pragma once

#include <cstdint>

#include "unet/config.hpp"

namespace diffcert {

enum class LossKind : std::uint8_t { edm, vp, ve };

// Of ln s under the EDM loss.
struct LevelLaw {
  double mean = -1.2, deviation = 1.2;
};

struct LossRow {
  double sigma, weight;
};

// uniform: 64 random bits, read at the middle of their cell. sigma_data, beta_d, beta_min are the network's.
LossRow loss_row(LossKind kind, const LevelLaw& law, const NetworkConfig& config, std::uint64_t uniform);

}  // namespace diffcert
