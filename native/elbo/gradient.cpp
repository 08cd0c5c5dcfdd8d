#include "elbo/gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/status.hpp"

namespace diffcert {

double elbo_gradient(Network& model, bool clamp, std::span<const double> x, const ElboLevels& levels, std::int32_t label,
                     std::span<double> gradient) {
  const std::size_t elements = x.size(), count = levels.upper.size(), batch = static_cast<std::size_t>(model.max_batch());
  invariant(levels.weights.size() == count && levels.noise.size() == count * elements && gradient.size() == elements, "levels that do not match");
  const double share = 1.0 / static_cast<double>(elements);
  std::vector<double> input(batch * elements), pulled(batch * elements), direct(batch * elements), losses(batch);
  const std::vector<std::int32_t> labels(batch, label);
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double loss = 0;
  for (std::size_t from = 0; from < count; from += batch) {
    const std::size_t rows = std::min(batch, count - from);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t e = 0; e < elements; ++e) input[r * elements + e] = x[e] + levels.upper[from + r] * levels.noise[(from + r) * elements + e];
    }
    const Cotangent<double> residuals = [&](std::int64_t row, const double* denoised, double* cotangent) {
      const auto r = static_cast<std::size_t>(row);
      double sum = 0;
      for (std::size_t e = 0; e < elements; ++e) {
        double d = denoised[e];
        const bool cut = clamp && !(d >= -1 && d <= 1);
        if (cut) d = std::isfinite(d) ? std::copysign(1.0, d) : std::numeric_limits<double>::quiet_NaN();
        const double difference = d - x[e];
        sum += difference * difference;
        direct[r * elements + e] = 2 * share * levels.weights[from + r] * difference;
        cotangent[e] = cut ? 0.0 : direct[r * elements + e];
      }
      losses[r] = levels.weights[from + r] * (sum * share);
    };
    model.pull(static_cast<std::int64_t>(rows), levels.upper.data() + from, labels.data(), input.data(), residuals, pulled.data());
    for (std::size_t r = 0; r < rows; ++r) {
      loss += losses[r];
      for (std::size_t e = 0; e < elements; ++e) gradient[e] += pulled[r * elements + e] - direct[r * elements + e];
    }
  }
  return loss;
}

}  // namespace diffcert
