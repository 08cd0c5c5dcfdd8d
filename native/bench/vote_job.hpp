// One smoothing level with levels on a log grid, for checks and timings of votes: near a user's job, made without Java.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "diffcert/diffcert.h"
#include "elbo/classifier.hpp"

namespace diffcert::bench {

class VoteJob {
 public:
  // sigma in [0,1] pixel units; `levels` of them between the smoothing level and 3 in EDM space, of equal ratios, weighed 1 / u^2. The thresholds are the
  // C library's normal distribution, near enough where nothing is certified.
  VoteJob(double sigma, std::int64_t levels) {
    constexpr double kLast = 3;
    for (std::int32_t j = kOrigin; j < -kOrigin; ++j) {
      const double p = 0.5 * std::erfc(-(2 * j + 1) / (510 * sigma) / std::sqrt(2.0));
      thresholds_.push_back(p >= 1 ? UINT64_MAX : static_cast<std::uint64_t>(std::ldexp(p, 64)));
    }
    const double first = 2 * sigma;
    for (std::int64_t i = 0; i < levels; ++i) {
      const auto at = [&](std::int64_t k) { return first * std::pow(kLast / first, static_cast<double>(k) / static_cast<double>(levels)); };
      lower_.push_back(at(i));
      upper_.push_back(at(i + 1));
      weights_.push_back(1 / (at(i + 1) * at(i + 1)));
    }
    tau_ = {sigma, static_cast<std::int64_t>(thresholds_.size()), thresholds_.data(), kOrigin, -255, 510, levels, lower_.data(), upper_.data(),
            weights_.data(), 0, nullptr, nullptr, nullptr};
  }
  VoteJob(const VoteJob&) = delete;
  VoteJob& operator=(const VoteJob&) = delete;

  std::span<const dc_tau> taus() const { return {&tau_, 1}; }

 private:
  static constexpr std::int32_t kOrigin = -765;
  std::vector<std::uint64_t> thresholds_;
  std::vector<double> lower_, upper_, weights_;
  dc_tau tau_{};
};

}  // namespace diffcert::bench
