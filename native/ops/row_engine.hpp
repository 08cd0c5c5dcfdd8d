// Rows of votes on a device that makes and judges them itself.
#pragma once

#include <cstdint>
#include <span>

#include "core/philox.hpp"
#include "ops/row.hpp"

namespace diffcert {

// Samples whose rows a device is to make and judge. Everything is in EDM space, C,H,W order, float64.
struct StagedSamples {
  std::int32_t taus = 1;
  std::span<const NoiseKey> keys;       // [samples]
  std::span<const double> positions;    // [taus, samples, elements]
  std::span<const double> estimates;    // [samples, estimates_each, elements], or empty
  std::int32_t estimates_each = 1;      // 1, or one a class
  bool around_estimates = false;        // x_u starts from the estimate, not from the position
  bool posterior = false;               // residuals are |m_q - m_p|^2, for every tau; else |D - target|^2, target the estimate or the position
  bool clamp = true;                    // D to [-1, 1]; what is not finite becomes NaN
};

// What becomes of kept residuals. loss = sum over levels, ascending, of weight x residual, levels of weight 0 left out; the vote is the class of the least
// loss, the lowest among equals, or -1 where the sample is not certain or a loss of any class is not finite.
struct Tally {
  std::int32_t classes = 0, levels = 0;
  std::span<const double> weights;         // [taus, levels]
  std::span<const std::uint8_t> certain;   // [samples]
  std::span<std::int32_t> votes;           // [taus, samples]
  std::span<double> losses;                // [taus, samples, classes], or empty: not asked for
};

// The two ends of votes on the device: rows (level, sample, class) go down as a few numbers each, residuals come up. The same bits for a row in every
// batch, at every place; docs/spec/reduction-order.md says in which order a residual is summed.
class RowEngine {
 public:
  virtual ~RowEngine() = default;
  // Takes the samples to the device; they stay until the next ones come.
  virtual void stage(const StagedSamples& samples) = 0;
  // Rows, any number of them: residuals [rows, taus], means over the elements; those of a row's taus beyond its level's base mean nothing. mix: [levels,
  // taus], for posterior residuals. Neighbours of one (level, sample) share the making of x_u.
  virtual void run(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows, std::span<double> residuals) = 0;
  // The same for votes that the device casts: residuals stay there, each row's at its place, [places, taus].
  virtual void reserve(std::int64_t places) = 0;
  virtual void keep(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows) = 0;
  // From the residuals kept at (sample * classes + class) * levels + level.
  virtual void votes(const Tally& tally) = 0;
};

}  // namespace diffcert
