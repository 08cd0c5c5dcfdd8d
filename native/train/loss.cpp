#include "train/loss.hpp"

#include <cmath>

#include "core/noise.hpp"

namespace diffcert {
namespace {

constexpr double kFirst = 1e-5;                        // VP, of t
constexpr double kLeastSigma = 0.02, kMostSigma = 100; // VE

}  // namespace

LossRow loss_row(LossKind kind, const LevelLaw& law, const NetworkConfig& config, std::uint64_t uniform) {
  const double u = (static_cast<double>(uniform >> 11) + 0.5) * 0x1p-53;
  if (kind == LossKind::edm) {
    const double s = std::exp(law.mean + law.deviation * inverse_normal(uniform)), d = config.sigma_data;
    return {s, (s * s + d * d) / ((s * d) * (s * d))};
  }
  double s = 0;
  if (kind == LossKind::vp) {
    const double t = kFirst + u * (1 - kFirst);
    s = std::sqrt(std::expm1(0.5 * config.beta_d * t * t + config.beta_min * t));
  } else {
    s = kLeastSigma * std::pow(kMostSigma / kLeastSigma, u);
  }
  return {s, 1 / (s * s)};
}

}  // namespace diffcert
