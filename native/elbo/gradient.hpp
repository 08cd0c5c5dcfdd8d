// The loss of the diffusion classifier on an image as it is (dc), and its gradient by the image, for noise that the caller gives:
//   loss = sum over levels of w_i |D(x + u_i e_i; u_i, y) - x|^2 / elements,
//   gradient = sum of 2 w_i / elements (J_i^T r_i - r_i), r_i = D - x, J_i the Jacobian of D at x + u_i e_i; clamping cuts J_i^T r_i where it cuts D.
// Everything but the network is float64. Models are made for gradients; levels go through them in batches, sums run over levels ascending.
#pragma once

#include <cstdint>
#include <span>

#include "unet/network.hpp"

namespace diffcert {

struct ElboLevels {
  std::span<const double> upper, weights;  // [levels]
  std::span<const double> noise;           // [levels, elements]
};

// One label (-1: unconditional) of one image.
double elbo_gradient(Network& model, bool clamp, std::span<const double> x, const ElboLevels& levels, std::int32_t label,
                     std::span<double> gradient);

// The gradient of sum over classes of coefficients[c] * loss_c, and the losses [classes]. A multi-head model takes a row a level for all of it; another goes
// class by class, and leaves those of coefficient 0 out: their loss is NaN.
void elbo_pull(Network& model, bool clamp, std::span<const double> x, const ElboLevels& levels, std::span<const double> coefficients,
               std::span<double> losses, std::span<double> gradient);

}  // namespace diffcert
