#include "unet/precond.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/status.hpp"

namespace diffcert {
namespace {

// u_M = 0 and, downwards, u_{j-1} from u_j by the cosine schedule, with its steps bounded by c_1.
std::vector<double> make_levels(std::int32_t m, double c_1, double c_2) {
  const auto alpha_bar = [&](std::int32_t j) {
    const double s = std::sin(0.5 * std::numbers::pi * j / m / (c_2 + 1));
    return s * s;
  };
  std::vector<double> u(static_cast<std::size_t>(m) + 1, 0.0);
  for (std::int32_t j = m; j > 0; --j) {
    const double next = u[static_cast<std::size_t>(j)];
    const double ratio = std::max(alpha_bar(j - 1) / alpha_bar(j), c_1);
    u[static_cast<std::size_t>(j) - 1] = std::sqrt(std::max(0.0, (next * next + 1) / ratio - 1));
  }
  return u;
}

}  // namespace

Precond::Precond(const NetworkConfig& config)
    : kind_(config.precond), sigma_data_(config.sigma_data), beta_d_(config.beta_d), beta_min_(config.beta_min), m_(config.m) {
  if (kind_ == PrecondKind::iddpm) u_ = make_levels(config.m, config.c_1, config.c_2);
}

std::int64_t Precond::nearest_level(double sigma) const {
  invariant(!u_.empty(), "noise levels of a network that has none");
  std::size_t best = 0;
  for (std::size_t j = 1; j < u_.size(); ++j) {
    if (std::abs(u_[j] - sigma) < std::abs(u_[best] - sigma)) best = j;
  }
  return static_cast<std::int64_t>(best);
}

Coefficients Precond::at(double sigma) const {
  const double square = sigma * sigma, c_in = 1 / std::sqrt(square + 1);
  switch (kind_) {
    case PrecondKind::vp: {
      const double t = (std::sqrt(beta_min_ * beta_min_ + 2 * beta_d_ * std::log1p(square)) - beta_min_) / beta_d_;
      return {1, -sigma, c_in, (m_ - 1) * t};
    }
    case PrecondKind::ve:
      return {1, sigma, 1, std::log(0.5 * sigma)};
    case PrecondKind::iddpm:
      return {1, -sigma, c_in, static_cast<double>(m_ - 1 - nearest_level(sigma))};
    case PrecondKind::edm:
      break;
  }
  const double data = sigma_data_ * sigma_data_, sum = square + data, root = std::sqrt(sum);
  return {data / sum, sigma * sigma_data_ / root, 1 / root, std::log(sigma) / 4};
}

}  // namespace diffcert
