// Keyed noise: standard normals, integer noise from a threshold table, integer noise of several sigmas along one path.
// docs/spec/noise.md is the contract; org.diffcert.noise gives the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/philox.hpp"

namespace diffcert {

// The standard normal quantile of the cell [u, u+1) / 2^64, read at its middle; float64 with + - * / and the square
// root only.
double inverse_normal(std::uint64_t u);

// Standard normals of elements [0, out.size()) of one sample, in C,H,W order.
void draw_normals(const NoiseKey& key, NoiseStream stream, std::uint32_t index, std::span<double> out);

// The one value that a sum of image and noise has for a network, in EDM space: a function of the sum alone (S7).
inline double edm_value(std::int32_t sum) { return static_cast<double>(2 * sum - 255) / 255.0; }

// Rounded Gaussian noise by a table of thresholds: the noise is origin + how many thresholds are below the uniform; a
// uniform equal to a threshold is ambiguous. Thresholds ascend (repetitions allowed), at least one. Immutable,
// thread-safe.
class IntegerNoise {
 public:
  IntegerNoise(std::span<const std::uint64_t> thresholds, std::int32_t origin);

  // The noise of elements [0, noise.size()) of one sample, before the clip; an ambiguous element gets the lower of its
  // two values. False if any draw was ambiguous: then the sample counts for no class.
  bool draw(const NoiseKey& key, std::span<std::int32_t> noise) const;

 private:
  std::int32_t below(std::uint64_t u) const;

  std::vector<std::uint64_t> thresholds_;
  // start_[b]: how many thresholds are below the first uniform of bin b of the top bits; one entry more than bins.
  std::vector<std::int32_t> start_;
  std::int32_t origin_;
};

// Rounded Gaussian noise of several sigmas along one Brownian path. Immutable, thread-safe.
class PathNoise {
 public:
  static constexpr double kMaxSigma = 2.0;  // the error window is proven up to here
  static constexpr std::size_t kMaxSigmas = 16;

  // Whether path noise takes these: 1 to kMaxSigmas, strictly ascending, in (0, kMaxSigma].
  static bool accepts(std::span<const double> sigmas);
  // sigmas: as accepts() wants them.
  explicit PathNoise(std::span<const double> sigmas);

  // The noise of elements [0, count) at each sigma, before the clip: noise[k * count + e]. False if any draw was
  // ambiguous: then the sample counts for no class at any sigma.
  bool draw(const NoiseKey& key, std::int64_t count, std::span<std::int32_t> noise) const;

 private:
  std::vector<double> scales_;  // of the increments, in 8-bit units
};

}  // namespace diffcert
