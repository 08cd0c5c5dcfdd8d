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

// The devices of a name; one that is not there is refused with the reason that its description gives.
std::vector<std::string> there(const char* device) {
  require(device != nullptr, "The device is missing.");
  const std::string name = device;
  if (name == "cpu" || name == "reference") return {name};
  describe_device(name);
  return devices_of(name);
}

// body(network, from, to) for the rows [from, to) that each of the model's devices takes. Rows do not meet, so that the cut does not show.
template <class Body>
void split(dc_model* model, std::int64_t n, Body body) {
  if (model->devices() == 1) return body(model->network, std::int64_t{0}, n);
  model->threads->parallel_for(n, [&](std::int64_t from, std::int64_t to, int device) {
    body(model->on(static_cast<std::size_t>(device)), from, to);
  });
}

const std::int32_t* from_row(const std::int32_t* labels, std::int64_t row) { return labels == nullptr ? nullptr : labels + row; }

void check_rows(const Network& network, std::int64_t n, const void* x, const void* levels, const std::int32_t* labels, const void* out) {
  require(network.finished(), "The model has no weights yet.");
  require(n >= 1, "A batch has at least one row.");
  require(x != nullptr && levels != nullptr && out != nullptr, "The images, their noise levels or the place for the result are missing.");
  for (std::int64_t i = 0; labels != nullptr && i < n; ++i) {
    if (labels[i] < -1 || labels[i] >= network.config().classes()) {
      throw Error(DC_BAD_ARGUMENT, "The label of row " + std::to_string(i) + " is " + std::to_string(labels[i]) +
                                       ", the model knows " + std::to_string(network.config().classes()) + " classes.");
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
    const NetworkConfig network = validate(*config);
    const std::vector<std::string> devices = there(device);
    const std::string form = isa == nullptr ? "" : isa;
    auto made = std::make_unique<dc_model>(Network(network, devices[0], threads, form));
    for (std::size_t i = 1; i < devices.size(); ++i) made->more.push_back(std::make_unique<Network>(network, devices[i], threads, form));
    if (made->devices() > 1) made->threads = std::make_unique<ThreadPool>(static_cast<int>(made->devices()));
    *model = made.release();
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
    for (auto& network : model->more) network->set_weight(name, {data, static_cast<std::size_t>(count)});
  });
}

dc_status dc_model_finish(dc_model* model, int64_t max_batch) {
  return guard([&] {
    network_of(model).finish(max_batch);
    for (auto& network : model->more) network->finish(model->network.max_batch());
  });
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
    for (const auto& network : model->more) *weight_bytes += network->weight_bytes(), *arena_bytes += network->arena_bytes();
  });
}

dc_status dc_model_denoise(dc_model* model, int64_t n, const float* x, const double* sigma, const int32_t* labels, float* denoised) {
  return guard([&] {
    check_rows(network_of(model), n, x, sigma, labels, denoised);
    check_levels(n, sigma);
    const std::int64_t row = model->network.config().image_elements();
    split(model, n, [&](Network& network, std::int64_t from, std::int64_t to) {
      network.denoise(to - from, sigma + from, from_row(labels, from), x + from * row, denoised + from * row);
    });
  });
}

dc_status dc_model_denoise_resident(dc_model* model, int64_t n, uint64_t x, const double* sigma, const int32_t* labels, uint64_t denoised) {
  return guard([&] {
    const auto* from = reinterpret_cast<const float*>(static_cast<std::uintptr_t>(x));
    auto* to = reinterpret_cast<float*>(static_cast<std::uintptr_t>(denoised));
    check_rows(network_of(model), n, from, sigma, labels, to);
    require(model->devices() == 1, "Images in a device's memory need a model on that device alone.");
    require(x % alignof(float) == 0 && denoised % alignof(float) == 0, "An address of float32 values is a multiple of 4.");
    check_levels(n, sigma);
    model->network.denoise_resident(n, sigma, labels, from, to);
  });
}

dc_status dc_model_network(dc_model* model, int64_t n, const float* x, const float* noise_label, const int32_t* labels, float* output) {
  return guard([&] {
    check_rows(network_of(model), n, x, noise_label, labels, output);
    const NetworkConfig& config = model->network.config();
    const std::int64_t row = config.image_elements(), result = row / config.img_channels * config.out_channels();
    split(model, n, [&](Network& network, std::int64_t from, std::int64_t to) {
      network.network(to - from, noise_label + from, from_row(labels, from), x + from * row, output + from * result);
    });
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
