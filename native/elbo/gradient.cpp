#include "elbo/gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/status.hpp"

namespace diffcert {
namespace {

struct Images {
  Network& model;
  bool clamp;
  std::span<const double> x;
  const ElboLevels& levels;
};

// One D of a level: its share of the loss. Writes the cotangent of coefficient x that share, and adds what comes through the target to direct.
double share_of(const Images& of, double weight, double coefficient, const double* denoised, double* cotangent, double* direct) {
  const std::size_t elements = of.x.size();
  const double share = 1.0 / static_cast<double>(elements);
  double sum = 0;
  for (std::size_t e = 0; e < elements; ++e) {
    double d = denoised[e];
    const bool cut = of.clamp && !(d >= -1 && d <= 1);
    if (cut) d = std::isfinite(d) ? std::copysign(1.0, d) : std::numeric_limits<double>::quiet_NaN();
    const double difference = d - of.x[e];
    sum += difference * difference;
    const double pulled = coefficient == 0 ? 0 : coefficient * (2 * share * weight * difference);
    direct[e] += pulled;
    cotangent[e] = cut ? 0.0 : pulled;
  }
  return weight * (sum / static_cast<double>(elements));
}

// pull(levels [from, from + rows), their x_u, direct, pulled) for batches of levels; the gradient is the sum of pulled - direct.
template <class Pull>
void for_batches(const Images& of, std::span<double> gradient, Pull pull) {
  const std::size_t elements = of.x.size(), count = of.levels.upper.size(), batch = static_cast<std::size_t>(of.model.max_batch());
  invariant(of.levels.weights.size() == count && of.levels.noise.size() == count * elements && gradient.size() == elements, "levels that do not match");
  std::vector<double> input(batch * elements), pulled(batch * elements), direct(batch * elements);
  std::fill(gradient.begin(), gradient.end(), 0.0);
  for (std::size_t from = 0; from < count; from += batch) {
    const std::size_t rows = std::min(batch, count - from);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t e = 0; e < elements; ++e) {
        input[r * elements + e] = of.x[e] + of.levels.upper[from + r] * of.levels.noise[(from + r) * elements + e];
      }
    }
    std::fill(direct.begin(), direct.end(), 0.0);
    pull(from, rows, input.data(), direct.data(), pulled.data());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t e = 0; e < elements; ++e) gradient[e] += pulled[r * elements + e] - direct[r * elements + e];
    }
  }
}

}  // namespace

double elbo_gradient(Network& model, bool clamp, std::span<const double> x, const ElboLevels& levels, std::int32_t label,
                     std::span<double> gradient) {
  const std::size_t batch = static_cast<std::size_t>(model.max_batch());
  const Images of{model, clamp, x, levels};
  const std::vector<std::int32_t> labels(batch, label);
  std::vector<double> losses(batch);
  double loss = 0;
  for_batches(of, gradient, [&](std::size_t from, std::size_t rows, const double* input, double* direct, double* pulled) {
    const Cotangent<double> residuals = [&](std::int64_t row, const double* denoised, double* cotangent) {
      const auto r = static_cast<std::size_t>(row);
      losses[r] = share_of(of, levels.weights[from + r], 1, denoised, cotangent, direct + r * x.size());
    };
    model.pull(static_cast<std::int64_t>(rows), levels.upper.data() + from, labels.data(), input, residuals, pulled);
    for (std::size_t r = 0; r < rows; ++r) loss += losses[r];
  });
  return loss;
}

void elbo_pull(Network& model, bool clamp, std::span<const double> x, const ElboLevels& levels, std::span<const double> coefficients,
               std::span<double> losses, std::span<double> gradient) {
  const std::size_t elements = x.size(), classes = static_cast<std::size_t>(model.config().classes());
  invariant(coefficients.size() == classes && losses.size() == classes, "coefficients or losses of other classes");
  if (!model.config().multi_head()) {
    std::vector<double> own(elements), sum(elements);
    for (std::size_t c = 0; c < classes; ++c) {
      losses[c] = std::numeric_limits<double>::quiet_NaN();
      if (coefficients[c] == 0) continue;
      losses[c] = elbo_gradient(model, clamp, x, levels, static_cast<std::int32_t>(c), own);
      for (std::size_t e = 0; e < elements; ++e) sum[e] += coefficients[c] * own[e];
    }
    std::copy(sum.begin(), sum.end(), gradient.begin());
    return;
  }
  const Images of{model, clamp, x, levels};
  std::vector<double> shares(static_cast<std::size_t>(model.max_batch()) * classes);
  std::fill(losses.begin(), losses.end(), 0.0);
  for_batches(of, gradient, [&](std::size_t from, std::size_t rows, const double* input, double* direct, double* pulled) {
    const Cotangent<double> residuals = [&](std::int64_t row, const double* denoised, double* cotangent) {
      const auto r = static_cast<std::size_t>(row);
      for (std::size_t c = 0; c < classes; ++c) {
        shares[r * classes + c] = share_of(of, levels.weights[from + r], coefficients[c], denoised + c * elements, cotangent + c * elements,
                                           direct + r * elements);
      }
      std::fill_n(cotangent + classes * elements, elements, 0.0);  // no class
    };
    model.pull_heads(static_cast<std::int64_t>(rows), levels.upper.data() + from, input, residuals, pulled);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < classes; ++c) losses[c] += shares[r * classes + c];
    }
  });
}

}  // namespace diffcert
