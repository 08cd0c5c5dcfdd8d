// Models through the C ABI: the life of a handle, and every wrong argument answered by its status and one sentence.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "check.hpp"
#include "diffcert/diffcert.h"

namespace {

struct Handle {
  dc_model* model = nullptr;
  ~Handle() { dc_model_close(model); }
};

dc_network_config small() {
  return diffcert::bench::small_networks().front().config;
}

// The call gave this status, with a sentence where it failed.
void expect(dc_status got, dc_status want, const char* what) {
  const std::string sentence = dc_last_error();
  CHECK(got == want) << what << ": status " << got << ", " << sentence;
  if (want != DC_OK)
    CHECK(sentence.size() > 15 && sentence.back() == '.' && sentence.find('\n') == std::string::npos) << sentence;
}

void create(Handle& handle, const char* device = "cpu") {
  const dc_network_config config = small();
  expect(dc_model_create(&config, device, 1, nullptr, &handle.model), DC_OK, "create");
}

void fill(dc_model* model) {
  std::int64_t count = 0;
  expect(dc_model_tensor_count(model, &count), DC_OK, "count");
  CHECK(count > 50);
  for (std::int64_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    std::int64_t shape[4];
    std::int32_t rank = 0;
    expect(dc_model_tensor_info(model, i, &name, shape, &rank), DC_OK, "info");
    CHECK(rank >= 1 && rank <= 4);
    if (std::string(name).ends_with("resample_filter"))
      continue;  // a file may leave out what the configuration determines
    const std::vector<float> values(static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]), 0.01f);
    expect(dc_model_set_tensor(model, name, values.data(), static_cast<std::int64_t>(values.size())), DC_OK, name);
  }
}

void creation() {
  dc_network_config config = small();
  dc_model* model = nullptr;
  expect(dc_model_create(nullptr, "cpu", 1, "", &model), DC_BAD_ARGUMENT, "no configuration");
  expect(dc_model_create(&config, nullptr, 1, "", &model), DC_BAD_ARGUMENT, "no device");
  expect(dc_model_create(&config, "cpu", 1, "", nullptr), DC_BAD_ARGUMENT, "no place");
  expect(dc_model_create(&config, "tpu", 1, "", &model), DC_BAD_ARGUMENT, "a device of another kind");
  expect(dc_model_create(&config, "cpu", 1, "mmx", &model), DC_BAD_ARGUMENT, "an unknown instruction set");
  expect(dc_model_create(&config, "cpu", 100000, "", &model), DC_BAD_ARGUMENT, "too many threads");
  expect(dc_model_create(&config, "cuda:999", 1, "", &model), DC_DEVICE_UNAVAILABLE, "a GPU that no machine has");
  CHECK(std::string(dc_last_error()).find("'cuda:999'") != std::string::npos) << dc_last_error();
  config.num_blocks = -1;
  expect(dc_model_create(&config, "cpu", 1, "", &model), DC_BAD_ARGUMENT, "a bad configuration");
  CHECK(model == nullptr);
  dc_model_close(nullptr);
}

void weights() {
  Handle handle;
  create(handle);
  dc_model* model = handle.model;
  const std::vector<float> values(64, 0.25f);
  const float not_finite[] = {1, std::numeric_limits<float>::infinity()};
  std::vector<float> bias(16, 0.0f);
  bias[7] = not_finite[1];
  const char* name = nullptr;
  std::int64_t shape[4];
  std::int32_t rank = 0;
  expect(dc_model_tensor_info(model, -1, &name, shape, &rank), DC_BAD_ARGUMENT, "a negative index");
  expect(dc_model_tensor_info(model, 1 << 20, &name, shape, &rank), DC_BAD_ARGUMENT, "an index past the end");
  expect(dc_model_set_tensor(model, "model.nothing", values.data(), 64), DC_BAD_MODEL, "an unknown tensor");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", values.data(), 17), DC_BAD_MODEL, "a wrong count");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", values.data(), -1), DC_BAD_ARGUMENT,
         "a negative count");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", nullptr, 16), DC_BAD_ARGUMENT, "no data");
  expect(dc_model_set_tensor(model, nullptr, values.data(), 16), DC_BAD_ARGUMENT, "no name");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", bias.data(), 16), DC_BAD_MODEL, "an infinite weight");
  const float filter[] = {0.25f, 0.25f, 0.25f, 0.5f};
  expect(dc_model_set_tensor(model, "model.enc.8x8_down.conv0.resample_filter", filter, 4), DC_BAD_MODEL,
         "another filter");
  expect(dc_model_set_tensor(model, "model.enc.8x8_down.conv0.resample_filter", values.data(), 4), DC_OK, "the filter");
  expect(dc_model_set_tensor(model, "model.enc.8x8_down.conv0.resample_filter", values.data(), 4), DC_BAD_MODEL,
         "a filter twice");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", values.data(), 16), DC_OK, "a bias");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", values.data(), 16), DC_BAD_MODEL, "a bias twice");
  expect(dc_model_finish(model, 4), DC_BAD_MODEL, "missing tensors");
}

void calls() {
  Handle handle;
  create(handle);
  dc_model* model = handle.model;
  const std::int64_t image = 3 * 16 * 16;
  std::vector<float> x(static_cast<std::size_t>(5 * image), 0.5f), out(x.size()), other(x.size());
  std::vector<double> sigma(5, 1.0);
  std::vector<float> noise(5, 0.1f);
  std::vector<std::int32_t> labels = {0, 9, -1, 3, 3};
  expect(dc_model_denoise(model, 1, x.data(), sigma.data(), nullptr, out.data()), DC_BAD_ARGUMENT,
         "before the weights");
  fill(model);
  for (const std::int64_t batch : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    expect(dc_model_finish(model, batch), DC_BAD_ARGUMENT, "a batch out of range");
  }
  std::int64_t batch = 0;
  expect(dc_model_max_batch(model, &batch), DC_BAD_ARGUMENT, "the batch of a model without weights");
  expect(dc_model_finish(model, 2), DC_OK, "finish");
  expect(dc_model_max_batch(model, &batch), DC_OK, "the batch");
  CHECK(batch == 2) << batch;
  expect(dc_model_finish(model, 2), DC_BAD_ARGUMENT, "finished twice");
  expect(dc_model_set_tensor(model, "model.enc.16x16_conv.bias", x.data(), 16), DC_BAD_ARGUMENT,
         "a tensor after the end");

  std::int64_t weight_bytes = 0, arena_bytes = 0;
  expect(dc_model_memory(model, &weight_bytes, &arena_bytes), DC_OK, "memory");
  CHECK(weight_bytes > 100000 && arena_bytes > 100000);

  expect(dc_model_denoise(model, 5, x.data(), sigma.data(), labels.data(), out.data()), DC_OK,
         "more rows than a batch");
  for (std::int64_t row = 0; row < 5; ++row) {
    expect(dc_model_denoise(model, 1, x.data(), sigma.data(), labels.data() + row, other.data()), DC_OK, "one row");
    bool same = true;
    for (std::int64_t i = 0; i < image; ++i)
      same = same && out[static_cast<std::size_t>(row * image + i)] == other[static_cast<std::size_t>(i)];
    CHECK(same) << "row " << row << " differs from the same row alone";
  }
  expect(dc_model_network(model, 5, x.data(), noise.data(), nullptr, out.data()), DC_OK, "network");

  std::vector<float> holed = x;
  holed[static_cast<std::size_t>(2 * image + 7)] = std::nanf("");
  holed[static_cast<std::size_t>(2 * image + 8)] = INFINITY;
  expect(dc_model_denoise(model, 5, x.data(), sigma.data(), labels.data(), out.data()), DC_OK, "finite images");
  expect(dc_model_denoise(model, 5, holed.data(), sigma.data(), labels.data(), other.data()), DC_OK, "an image with holes");
  bool others_stand = true;
  for (std::int64_t i = 0; i < 5 * image; ++i) {
    const auto at = static_cast<std::size_t>(i);
    others_stand = others_stand && (i / image == 2 || out[at] == other[at]);
  }
  CHECK(others_stand) << "a value that is not finite reached another image's row";

  expect(dc_model_denoise(nullptr, 1, x.data(), sigma.data(), nullptr, out.data()), DC_BAD_ARGUMENT, "no model");
  expect(dc_model_denoise(model, 1, nullptr, sigma.data(), nullptr, out.data()), DC_BAD_ARGUMENT, "no images");
  expect(dc_model_denoise(model, 1, x.data(), nullptr, nullptr, out.data()), DC_BAD_ARGUMENT, "no levels");
  expect(dc_model_denoise(model, 1, x.data(), sigma.data(), nullptr, nullptr), DC_BAD_ARGUMENT, "no place");
  expect(dc_model_denoise(model, -1, x.data(), sigma.data(), nullptr, out.data()), DC_BAD_ARGUMENT,
         "a negative number of rows");
  for (const double bad : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    expect(dc_model_denoise(model, 1, x.data(), &bad, nullptr, out.data()), DC_BAD_ARGUMENT, "a bad noise level");
  }
  for (const std::int32_t bad : {-2, 10, 1 << 30}) {
    expect(dc_model_denoise(model, 1, x.data(), sigma.data(), &bad, out.data()), DC_BAD_ARGUMENT, "a bad label");
    expect(dc_model_network(model, 1, x.data(), noise.data(), &bad, out.data()), DC_BAD_ARGUMENT, "a bad label");
  }
}

void gradients() {
  Handle plain;
  create(plain);
  fill(plain.model);
  expect(dc_model_finish(plain.model, 2), DC_OK, "finish");
  const std::int64_t image = 3 * 16 * 16;
  std::vector<float> x(static_cast<std::size_t>(3 * image), 0.5f), cotangent(x.size(), 1.0f), denoised(x.size()), gradient(x.size()), other(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) * 0.1f;
  const std::vector<double> sigma{0.5, 1, 2};
  std::vector<double> values(16), again(16);
  expect(dc_model_vector_jacobian(plain.model, 1, x.data(), sigma.data(), nullptr, cotangent.data(), nullptr, gradient.data()), DC_BAD_ARGUMENT,
         "gradients of a model without");
  expect(dc_model_gradient(plain.model, "model.enc.16x16_conv.bias", values.data(), 16), DC_BAD_ARGUMENT, "a gradient of a model without");
  expect(dc_model_clear_gradients(plain.model), DC_BAD_ARGUMENT, "clearing what is not there");
  expect(dc_model_differentiate(plain.model, DC_GRADIENTS_IMAGE, 0), DC_BAD_ARGUMENT, "gradients after the weights");

  Handle handle;
  create(handle);
  dc_model* model = handle.model;
  expect(dc_model_differentiate(nullptr, DC_GRADIENTS_IMAGE, 0), DC_BAD_ARGUMENT, "no model");
  expect(dc_model_differentiate(model, static_cast<dc_gradients>(3), 0), DC_BAD_ARGUMENT, "gradients of another kind");
  expect(dc_model_differentiate(model, DC_GRADIENTS_IMAGE, -1), DC_BAD_ARGUMENT, "a negative budget");
  expect(dc_model_differentiate(model, DC_GRADIENTS_NONE, 0), DC_OK, "none");
  expect(dc_model_differentiate(model, DC_GRADIENTS_WEIGHTS, 1), DC_OK, "a budget of one byte");
  expect(dc_model_differentiate(model, DC_GRADIENTS_WEIGHTS, 0), DC_BAD_ARGUMENT, "gradients twice");
  expect(dc_model_vector_jacobian(model, 1, x.data(), sigma.data(), nullptr, cotangent.data(), nullptr, gradient.data()), DC_BAD_ARGUMENT,
         "before the weights");
  expect(dc_model_gradient(model, "model.enc.16x16_conv.bias", values.data(), 16), DC_BAD_ARGUMENT, "before the weights");
  expect(dc_model_clear_gradients(model), DC_BAD_ARGUMENT, "before the weights");
  fill(model);
  expect(dc_model_finish(model, 2), DC_OK, "finish");
  expect(dc_model_vector_jacobian(model, 3, x.data(), sigma.data(), nullptr, cotangent.data(), denoised.data(), gradient.data()), DC_OK, "product");
  expect(dc_model_denoise(plain.model, 3, x.data(), sigma.data(), nullptr, other.data()), DC_OK, "denoise");
  CHECK(denoised == other) << "going backwards changes what is denoised";
  expect(dc_model_gradient(model, "model.enc.16x16_conv.bias", values.data(), 16), DC_OK, "a gradient");
  CHECK(values != std::vector<double>(16)) << "a gradient of zeros";
  expect(dc_model_clear_gradients(model), DC_OK, "clear");
  for (std::int64_t row = 0; row < 3; ++row) {
    expect(dc_model_vector_jacobian(model, 1, x.data() + row * image, sigma.data() + row, nullptr, cotangent.data(), nullptr, other.data() + row * image),
           DC_OK, "a row alone");
  }
  CHECK(gradient == other) << "a row's gradient depends on its batch";
  expect(dc_model_gradient(model, "model.enc.16x16_conv.bias", again.data(), 16), DC_OK, "the gradient again");
  CHECK(values == again) << "a sum over rows depends on the batches";
  expect(dc_model_gradient(model, "model.enc.16x16_conv.bias", values.data(), 15), DC_BAD_ARGUMENT, "a wrong count");
  expect(dc_model_gradient(model, "model.nothing", values.data(), 16), DC_BAD_MODEL, "an unknown tensor");
  expect(dc_model_gradient(model, nullptr, values.data(), 16), DC_BAD_ARGUMENT, "no name");
  expect(dc_model_vector_jacobian(model, 1, x.data(), sigma.data(), nullptr, nullptr, nullptr, nullptr), DC_BAD_ARGUMENT, "no cotangent");
  const double bad = -1;
  expect(dc_model_vector_jacobian(model, 1, x.data(), &bad, nullptr, cotangent.data(), nullptr, nullptr), DC_BAD_ARGUMENT, "a bad noise level");
}

void many() {
  for (int i = 0; i < 100; ++i) {
    Handle handle;
    create(handle, i % 2 == 0 ? "cpu" : "reference");
  }
}

}  // namespace

int main() {
  creation();
  weights();
  calls();
  gradients();
  many();
  return check::finish();
}
