// Small classifiers for tests of votes: five classes on 8 x 8 images, levels and weights of every kind, every noise.
#pragma once

#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "diffcert/diffcert.h"
#include "tiny_model.hpp"

namespace vote_cases {

inline constexpr std::int32_t kSide = 8, kClasses = 5;
inline constexpr std::int64_t kPixels = kSide * kSide;
inline constexpr std::uint64_t kSeed = 0x0123456789abcdef;
inline constexpr std::int32_t kOrigin = -510;

struct Levels {
  std::vector<double> lower, upper, weights;
};

// What a dc_tau points to.
struct TauData {
  double sigma;
  std::vector<std::uint64_t> thresholds;
  std::vector<double> lower, upper, weights;
  std::int32_t origin = kOrigin;
  Levels sift{};

  dc_tau view() const {
    return {sigma, static_cast<std::int64_t>(thresholds.size()), thresholds.data(), origin, -255, 510, static_cast<std::int64_t>(upper.size()),
            lower.data(), upper.data(), weights.data(), static_cast<std::int64_t>(sift.upper.size()), sift.lower.data(), sift.upper.data(),
            sift.weights.data()};
  }
};

// Thresholds from the C library's normal distribution: near enough for a test of votes.
inline std::vector<std::uint64_t> table(double sigma) {
  std::vector<std::uint64_t> thresholds;
  for (std::int32_t j = kOrigin; j < -kOrigin; ++j) {
    const double p = 0.5 * std::erfc(-(2 * j + 1) / (510 * sigma) / std::sqrt(2.0));
    thresholds.push_back(p >= 1 ? UINT64_MAX : static_cast<std::uint64_t>(std::ldexp(p, 64)));
  }
  return thresholds;
}

// Levels (points[i], points[i+1]) for the taus; those that begin at tau or below it have no weight.
inline TauData tau_data(double sigma, const std::vector<double>& points) {
  TauData data{sigma, table(sigma), {}, {}, {}, kOrigin, {}};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    data.lower.push_back(points[i]);
    data.upper.push_back(points[i + 1]);
    data.weights.push_back(points[i] > 2 * sigma ? 1 / points[i] : 0);
  }
  return data;
}

// heads: a head for each class instead of a label.
inline std::unique_ptr<dc_model> tiny_model(const char* device, int threads, std::int64_t max_batch, float output_scale = 1, bool heads = false,
                                            const char* isa = "") {
  const auto config = diffcert::validate(heads ? tiny::with_heads(kSide, 1, kClasses) : tiny::config(kSide, 1, kClasses));
  const std::vector<std::string> devices = diffcert::devices_of(device);
  std::unique_ptr<dc_model> model(new dc_model{diffcert::Network(config, devices[0], threads, isa)});
  for (std::size_t i = 1; i < devices.size(); ++i) model->more.push_back(std::make_unique<diffcert::Network>(config, devices[i], threads, isa));
  model->threads = std::make_unique<diffcert::ThreadPool>(static_cast<int>(devices.size()));
  for (std::size_t i = 0; i < devices.size(); ++i) tiny::fill(model->on(i), 7, max_batch, output_scale);
  return model;
}

struct Closer {
  void operator()(dc_classifier* classifier) const { dc_classifier_close(classifier); }
};
using Handle = std::unique_ptr<dc_classifier, Closer>;

inline Handle open(dc_model* model, dc_classifier_kind kind, dc_noise_mode noise, const std::vector<TauData>& taus, std::int64_t batch,
                   const dc_prune* prune = nullptr) {
  std::vector<dc_tau> views;
  for (const TauData& tau : taus) views.push_back(tau.view());
  dc_classifier* classifier = nullptr;
  const dc_status status = dc_classifier_create(model, nullptr, kind, 1, noise, kSeed, static_cast<std::int32_t>(views.size()), views.data(), prune,
                                                batch, &classifier);
  CHECK(status == DC_OK) << dc_last_error();
  return Handle(classifier);
}

inline std::vector<std::uint8_t> image(int which) {
  std::vector<std::uint8_t> pixels(kPixels);
  for (std::size_t e = 0; e < pixels.size(); ++e) pixels[e] = static_cast<std::uint8_t>((37 * e + 101 * static_cast<std::size_t>(which)) % 256);
  return pixels;
}

// calls: of all samples together.
inline std::vector<std::int32_t> votes(dc_classifier* classifier, int which, std::uint32_t from, std::uint32_t to, std::size_t taus,
                                       std::int64_t* calls = nullptr) {
  std::vector<std::int32_t> result(taus * (to - from), -9);
  std::vector<std::int64_t> each(to - from, -9);
  const auto pixels = image(which);
  const dc_status status = dc_classifier_votes(classifier, pixels.data(), kPixels, static_cast<std::uint32_t>(which), DC_ESTIMATE, from, to, result.data(),
                                               calls == nullptr ? nullptr : each.data());
  CHECK(status == DC_OK) << dc_last_error();
  if (calls != nullptr) *calls = std::accumulate(each.begin(), each.end(), std::int64_t{0});
  return result;
}

inline std::vector<double> losses(dc_classifier* classifier, const std::vector<std::uint8_t>& pixels, std::uint32_t sample, std::size_t taus) {
  std::vector<double> result(taus * kClasses, -9);
  CHECK(dc_classifier_losses(classifier, pixels.data(), kPixels, 3, DC_ESTIMATE, sample, result.data()) == DC_OK) << dc_last_error();
  return result;
}

struct Case {
  dc_classifier_kind kind;
  dc_noise_mode noise;
  std::vector<TauData> taus;
};

inline std::vector<Case> cases() {
  const std::vector<double> points = {0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0};
  const TauData low = tau_data(0.25, points), high = tau_data(0.5, points);
  std::vector<Case> all;
  for (int kind = DC_DC; kind <= DC_APNDC_ENSEMBLE; ++kind) all.push_back({static_cast<dc_classifier_kind>(kind), DC_NOISE_INTEGER, {low, high}});
  all.push_back({DC_EPNDC, DC_NOISE_PATH, {low, high}});
  all.push_back({DC_APNDC, DC_NOISE_FLOAT, {low}});
  return all;
}

}  // namespace vote_cases
