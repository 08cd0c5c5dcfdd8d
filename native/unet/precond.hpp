// Preconditioning: how D(x; sigma) is made of the network F, for the four published wrappers, in float64.
//   D(x; sigma) = c_skip x + c_out F(c_in x; c_noise).   Source: EDM, training/networks.py; docs of the formulas in Karras et al. 2022.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unet/config.hpp"

namespace diffcert {

struct Coefficients {
  double c_skip, c_out, c_in, c_noise;
};

class Precond {
 public:
  explicit Precond(const NetworkConfig& config);
  // sigma > 0, in EDM space.
  Coefficients at(double sigma) const;
  // iDDPM's table of noise levels u_0 > ... > u_M = 0 (empty for the others): the buffer `u` of the published class.
  const std::vector<double>& levels() const { return u_; }
  // iDDPM: the index of the level nearest to sigma; the first (largest level) among equals.
  std::int64_t nearest_level(double sigma) const;

 private:
  PrecondKind kind_;
  double sigma_data_, beta_d_, beta_min_;
  std::int32_t m_;
  std::vector<double> u_;
};

}  // namespace diffcert
