// Steps whose loss the caller computes: what the network makes of noisy images goes out, a cotangent of it comes back.
#include "core/status.hpp"
#include "train/trainer.hpp"

namespace diffcert {

void Trainer::denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* denoised) {
  require(n >= 1, "A batch has at least one row.");
  renew();
  network_.denoise(n, sigma, labels, x, denoised);
}

void Trainer::step(std::int64_t images, std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const float* cotangent) {
  require(images >= 1 && n >= 1, "A batch has at least one image and one row.");
  renew();
  network_.vector_jacobian(n, sigma, labels, x, cotangent, nullptr, nullptr);
  descend(images);
}

}  // namespace diffcert
