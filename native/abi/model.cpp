// The C ABI of the models: networks with their weights on a device.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "abi/guard.hpp"
#include "abi/handles.hpp"
#include "diffcert/diffcert.h"

namespace diffcert {
namespace {

Network& network_of(dc_model* model) {
  require(model != nullptr, "The model is missing.");
  return model->network;
}

const Network& network_of(const dc_model* model) {
  require(model != nullptr, "The model is missing.");
  return model->network;
}

void check_rows(const Network& network, std::int64_t n, const void* x, const void* levels, const std::int32_t* labels, const void* out) {
  require(network.finished(), "The model has no weights yet.");
  require(n >= 1, "A batch has at least one row.");
  require(x != nullptr && levels != nullptr && out != nullptr, "The images, their noise levels or the place for the result are missing.");
  for (std::int64_t i = 0; labels != nullptr && i < n; ++i) {
    if (labels[i] < -1 || labels[i] >= network.config().label_dim) {
      throw Error(DC_BAD_ARGUMENT, "The label of row " + std::to_string(i) + " is " + std::to_string(labels[i]) +
                                       ", the model knows " + std::to_string(network.config().label_dim) + " classes.");
    }
  }
}

void check_levels(std::int64_t n, const double* sigma) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(sigma[i] > 0) || !std::isfinite(sigma[i])) {
      throw Error(DC_BAD_ARGUMENT, "The noise level of row " + std::to_string(i) + " is " + std::to_string(sigma[i]) +
                                       ", must be positive and finite.");
    }
  }
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

dc_status dc_model_create(const dc_network_config* config, const char* device, int32_t threads, const char* isa, dc_model** model) {
  return guard([&] {
    require(config != nullptr && model != nullptr, "The configuration or the place for the model is missing.");
    *model = new dc_model{Network(validate(*config), device_of(device), threads, isa == nullptr ? "" : isa)};
  });
}

dc_status dc_model_differentiate(dc_model* model, dc_gradients gradients, int64_t row_bytes) {
  return guard([&] {
    require_in(gradients, DC_GRADIENTS_NONE, DC_GRADIENTS_WEIGHTS, "There are no gradients of that number.");
    const std::int64_t elements = row_elements(row_bytes);
    Network& network = network_of(model);
    if (gradients != DC_GRADIENTS_NONE) network.differentiate(gradients == DC_GRADIENTS_WEIGHTS, elements);
  });
}

dc_status dc_model_tensor_count(const dc_model* model, int64_t* count) {
  return guard([&] {
    require(count != nullptr, "The place for the count is missing.");
    *count = static_cast<std::int64_t>(network_of(model).weights().size());
  });
}

dc_status dc_model_tensor_info(const dc_model* model, int64_t index, const char** name, int64_t shape[4], int32_t* rank) {
  return guard([&] {
    describe_tensor(network_of(model).weights(), index, name, shape, rank);
  });
}

dc_status dc_model_set_tensor(dc_model* model, const char* name, const float* data, int64_t count) {
  return guard([&] {
    require(name != nullptr && data != nullptr && count >= 0, "The tensor's name or data are missing.");
    network_of(model).set_weight(name, {data, static_cast<std::size_t>(count)});
  });
}

dc_status dc_model_finish(dc_model* model, int64_t max_batch) {
  return guard([&] { network_of(model).finish(max_batch); });
}

dc_status dc_model_max_batch(const dc_model* model, int64_t* max_batch) {
  return guard([&] {
    require(max_batch != nullptr, "The place for the batch is missing.");
    require(network_of(model).finished(), "The model has no weights yet.");
    *max_batch = network_of(model).max_batch();
  });
}

dc_status dc_model_memory(const dc_model* model, int64_t* weight_bytes, int64_t* arena_bytes) {
  return guard([&] {
    require(weight_bytes != nullptr && arena_bytes != nullptr, "The place for the sizes is missing.");
    *weight_bytes = network_of(model).weight_bytes();
    *arena_bytes = network_of(model).arena_bytes();
  });
}

dc_status dc_model_denoise(dc_model* model, int64_t n, const float* x, const double* sigma, const int32_t* labels, float* denoised) {
  return guard([&] {
    check_rows(network_of(model), n, x, sigma, labels, denoised);
    check_levels(n, sigma);
    network_of(model).denoise(n, sigma, labels, x, denoised);
  });
}

dc_status dc_model_network(dc_model* model, int64_t n, const float* x, const float* noise_label, const int32_t* labels, float* output) {
  return guard([&] {
    check_rows(network_of(model), n, x, noise_label, labels, output);
    network_of(model).network(n, noise_label, labels, x, output);
  });
}

dc_status dc_model_vector_jacobian(dc_model* model, int64_t n, const float* x, const double* sigma, const int32_t* labels,
                                   const float* cotangent, float* denoised, float* gradient) {
  return guard([&] {
    require(cotangent != nullptr, "The cotangent is missing.");
    check_rows(network_of(model), n, x, sigma, labels, cotangent);
    check_levels(n, sigma);
    network_of(model).vector_jacobian(n, sigma, labels, x, cotangent, denoised, gradient);
  });
}

dc_status dc_model_gradient(const dc_model* model, const char* name, double* gradient, int64_t count) {
  return guard([&] {
    require(name != nullptr && gradient != nullptr, "The tensor's name or the place for its gradient are missing.");
    const Network& network = network_of(model);
    require(network.finished(), "The model has no weights yet.");
    const std::vector<double> values = network.gradient(network.weight(name));
    if (count != static_cast<std::int64_t>(values.size())) {
      throw Error(DC_BAD_ARGUMENT, "The tensor '" + std::string(name) + "' has " + std::to_string(values.size()) + " values, the place for its gradient " +
                                       std::to_string(count) + ".");
    }
    std::copy(values.begin(), values.end(), gradient);
  });
}

dc_status dc_model_clear_gradients(dc_model* model) {
  return guard([&] {
    require(network_of(model).finished(), "The model has no weights yet.");
    network_of(model).clear_gradients();
  });
}

void dc_model_close(dc_model* model) { delete model; }

}  // extern "C"
