// Trainers through the C ABI: a state that is stored and set goes on to the same bits; every wrong argument is answered by its status and one
// sentence.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "check.hpp"
#include "diffcert/diffcert.h"
#include "tiny_model.hpp"

namespace {

struct Handle {
  dc_trainer* trainer = nullptr;
  ~Handle() { dc_trainer_close(trainer); }
};

void expect(dc_status got, dc_status want, const char* what) {
  const std::string sentence = dc_last_error();
  CHECK(got == want) << what << ": status " << got << ", " << sentence;
  if (want != DC_OK) CHECK(sentence.size() > 15 && sentence.back() == '.' && sentence.find('\n') == std::string::npos) << sentence;
}

dc_train_options options() { return {DC_LOSS_EDM, -1.2, 1.2, 5, 1e-3, 0, 0, 0, 0.9, 0.999, 1e-8, 1000, 0.05, 0.1, 0, 0}; }

void create(Handle& handle, std::int64_t rows) {
  const dc_network_config config = tiny::config(8, 1, 2);
  const dc_train_options o = options();
  expect(dc_trainer_create(&config, "cpu", 1, nullptr, &o, rows, 0, &handle.trainer), DC_OK, "create");
}

void states() {
  Handle first, second;
  create(first, 4);
  create(second, 3);
  const auto images = diffcert::bench::random_floats(6 * 64, 3);
  const std::vector<std::int32_t> labels{0, 1, -1, 0, 1, 1};
  double loss = 0, again = 0;
  for (int i = 0; i < 3; ++i) expect(dc_trainer_step(first.trainer, 6, images.data(), labels.data(), nullptr, &loss), DC_OK, "a step");
  CHECK(std::isfinite(loss) && loss > 0) << loss;
  std::int64_t seen = 0, steps = 0, count = 0, learnt_tensors = 0;
  expect(dc_trainer_progress(first.trainer, &seen, &steps), DC_OK, "progress");
  CHECK(seen == 18 && steps == 3) << seen << ' ' << steps;
  expect(dc_trainer_tensor_count(first.trainer, &count), DC_OK, "count");
  for (std::int64_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    std::int64_t shape[4];
    std::int32_t rank = 0, learnt = 0;
    expect(dc_trainer_tensor_info(first.trainer, i, &name, shape, &rank, &learnt), DC_OK, "info");
    if (learnt == 0) continue;
    ++learnt_tensors;
    std::vector<float> values(static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
    for (const dc_train_tensor kind : {DC_TRAIN_WEIGHT, DC_TRAIN_FIRST_MOMENT, DC_TRAIN_SECOND_MOMENT, DC_TRAIN_AVERAGE}) {
      expect(dc_trainer_get(first.trainer, kind, name, values.data(), static_cast<std::int64_t>(values.size())), DC_OK, name);
      expect(dc_trainer_set(second.trainer, kind, name, values.data(), static_cast<std::int64_t>(values.size())), DC_OK, name);
    }
  }
  CHECK(learnt_tensors > 50) << learnt_tensors;
  expect(dc_trainer_set_progress(second.trainer, seen, steps), DC_OK, "set progress");
  for (int i = 0; i < 2; ++i) {
    expect(dc_trainer_step(first.trainer, 6, images.data(), labels.data(), nullptr, &loss), DC_OK, "a step");
    expect(dc_trainer_step(second.trainer, 6, images.data(), labels.data(), nullptr, &again), DC_OK, "a step, resumed");
    CHECK(loss == again) << loss << ' ' << again;
  }
}

void refusals() {
  const dc_network_config config = tiny::config(8, 1, 2);
  dc_train_options o = options();
  dc_trainer* none = nullptr;
  expect(dc_trainer_create(nullptr, "cpu", 1, "", &o, 4, 0, &none), DC_BAD_ARGUMENT, "no configuration");
  expect(dc_trainer_create(&config, "cpu", 1, "", nullptr, 4, 0, &none), DC_BAD_ARGUMENT, "no options");
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 0, 0, &none), DC_BAD_ARGUMENT, "no rows");
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 4, -1, &none), DC_BAD_ARGUMENT, "a negative budget");
  expect(dc_trainer_create(&config, "cuda", 1, "", &o, 4, 0, &none), DC_DEVICE_UNAVAILABLE, "a device that is not there");
  o.learning_rate = -1;
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 4, 0, &none), DC_BAD_ARGUMENT, "a negative rate");
  o = options();
  o.dropout = 1;
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 4, 0, &none), DC_BAD_ARGUMENT, "all features dropped");
  o = options();
  o.augment = 1;
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 4, 0, &none), DC_BAD_ARGUMENT, "augmentation labels without a map for them");
  o = options();
  o.loss = static_cast<dc_loss_kind>(7);
  expect(dc_trainer_create(&config, "cpu", 1, "", &o, 4, 0, &none), DC_BAD_ARGUMENT, "another loss");
  CHECK(none == nullptr);
  Handle handle;
  create(handle, 2);
  dc_trainer* trainer = handle.trainer;
  std::vector<float> images(2 * 64, 0.0f);
  double loss = 0;
  const std::int32_t labels[] = {0, 2};
  expect(dc_trainer_step(nullptr, 1, images.data(), nullptr, nullptr, &loss), DC_BAD_ARGUMENT, "no trainer");
  expect(dc_trainer_step(trainer, 0, images.data(), nullptr, nullptr, &loss), DC_BAD_ARGUMENT, "no rows");
  expect(dc_trainer_step(trainer, 2, nullptr, nullptr, nullptr, &loss), DC_BAD_ARGUMENT, "no images");
  expect(dc_trainer_step(trainer, 2, images.data(), labels, nullptr, &loss), DC_BAD_ARGUMENT, "an unknown label");
  expect(dc_trainer_step(trainer, 2, images.data(), nullptr, images.data(), &loss), DC_BAD_ARGUMENT, "augmentation labels that nobody reads");
  images[5] = INFINITY;
  expect(dc_trainer_step(trainer, 2, images.data(), nullptr, nullptr, &loss), DC_BAD_ARGUMENT, "an image that is not finite");
  const double level[] = {1, 0};
  std::vector<float> rows(2 * 64, 0.0f), out(2 * 64);
  expect(dc_trainer_denoise(trainer, 1, level, nullptr, rows.data(), out.data()), DC_OK, "one row denoised");
  expect(dc_trainer_denoise(trainer, 2, level, nullptr, rows.data(), out.data()), DC_BAD_ARGUMENT, "a level of 0");
  expect(dc_trainer_denoise(trainer, 1, level, nullptr, rows.data(), nullptr), DC_BAD_ARGUMENT, "no place");
  expect(dc_trainer_step_cotangent(trainer, 1, 1, level, nullptr, rows.data(), images.data()), DC_BAD_ARGUMENT, "a cotangent that is not finite");
  expect(dc_trainer_step_cotangent(trainer, 2, 1, level, nullptr, rows.data(), rows.data()), DC_BAD_ARGUMENT, "an image without a row");
  expect(dc_trainer_step_cotangent(trainer, 1, 2, level, labels, rows.data(), rows.data()), DC_BAD_ARGUMENT, "a level of 0, an unknown label");
  float value = 0;
  expect(dc_trainer_get(trainer, DC_TRAIN_AVERAGE, "model.nothing", &value, 1), DC_BAD_MODEL, "an unknown tensor");
  expect(dc_trainer_get(trainer, DC_TRAIN_AVERAGE, "model.enc.8x8_conv.bias", &value, 1), DC_BAD_ARGUMENT, "a wrong count");
  expect(dc_trainer_get(trainer, static_cast<dc_train_tensor>(4), "model.enc.8x8_conv.bias", &value, 16), DC_BAD_ARGUMENT, "another kind");
  expect(dc_trainer_set(trainer, DC_TRAIN_WEIGHT, "model.enc.8x8_conv.bias", &value, 1), DC_BAD_MODEL, "a wrong count");
  expect(dc_trainer_set_progress(trainer, -1, 0), DC_BAD_ARGUMENT, "a negative progress");
}

}  // namespace

int main() {
  states();
  refusals();
  return check::finish();
}
