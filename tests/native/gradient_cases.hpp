// A network's gradients on some device, in some batches: what tests of devices compare.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "bench/networks.hpp"
#include "check.hpp"

namespace gradient_cases {

using namespace diffcert;

struct Inputs {
  std::vector<float> image, cotangent;
  std::vector<double> sigma;
  std::vector<std::int32_t> labels;

  Inputs(const NetworkConfig& config, std::int64_t rows)
      : image(bench::random_floats(rows * config.image_elements(), 21)), cotangent(bench::random_floats(rows * config.image_elements(), 22)) {
    for (std::int64_t row = 0; row < rows; ++row) {
      sigma.push_back(0.05 * static_cast<double>(row * row + 1));
      labels.push_back(config.label_dim == 0 || row % 5 == 4 ? -1 : static_cast<std::int32_t>(row) % config.label_dim);
    }
  }
};

struct Gradients {
  std::vector<float> denoised, image;
  std::vector<std::vector<double>> weights;
};

// elements: working memory of a row, as Network::differentiate.
inline Gradients run(const dc_network_config& config, const Inputs& in, const std::string& device, int threads, const std::string& isa,
                     const std::vector<std::int64_t>& batches, bool parameters = true, std::int64_t elements = 0) {
  Network network(validate(config), device, threads, isa);
  network.differentiate(parameters, elements);
  bench::set_random_weights(network);
  network.finish(8);
  const std::int64_t row = network.config().image_elements();
  Gradients out{std::vector<float>(in.image.size()), std::vector<float>(in.image.size()), {}};
  std::int64_t first = 0;
  for (const std::int64_t batch : batches) {
    network.vector_jacobian(batch, in.sigma.data() + first, in.labels.data() + first, in.image.data() + first * row,
                            in.cotangent.data() + first * row, out.denoised.data() + first * row, out.image.data() + first * row);
    first += batch;
  }
  CHECK(first == static_cast<std::int64_t>(in.sigma.size()));
  for (std::size_t w = 0; parameters && w < network.weights().size(); ++w) out.weights.push_back(network.gradient(static_cast<WeightId>(w)));
  return out;
}

template <class T>
double relative_error(const std::vector<T>& actual, const std::vector<T>& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(actual[i]) - static_cast<double>(expected[i]), 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return size == 0 ? std::sqrt(difference) : std::sqrt(difference / size);
}

inline double worst_weight(const Gradients& actual, const Gradients& expected) {
  double worst = 0;
  for (std::size_t w = 0; w < expected.weights.size(); ++w) worst = std::fmax(worst, relative_error(actual.weights[w], expected.weights[w]));
  return worst;
}

}  // namespace gradient_cases
