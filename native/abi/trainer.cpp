// The C ABI of training.
#include <algorithm>
#include <cmath>
#include <string>

#include "abi/guard.hpp"
#include "abi/handles.hpp"
#include "train/trainer.hpp"

struct dc_trainer {
  diffcert::Trainer trainer;
};

namespace diffcert {
namespace {

template <class Handle>
auto& trainer_of(Handle* handle) {
  require(handle != nullptr, "The trainer is missing.");
  return handle->trainer;
}

TrainOptions options_of(const dc_train_options& o) {
  require_in(o.loss, DC_LOSS_EDM, DC_LOSS_VE, "There is no training loss of that number.");
  TrainOptions options;
  options.loss = static_cast<LossKind>(o.loss);
  options.levels = {o.level_mean, o.level_deviation};
  options.seed = o.seed;
  options.learning_rate = o.learning_rate;
  options.warmup_images = o.warmup_images;
  options.decay_images = o.decay_images;
  options.final_rate = o.final_rate;
  options.beta_1 = o.beta_1;
  options.beta_2 = o.beta_2;
  options.epsilon = o.epsilon;
  options.average_images = o.average_images;
  options.average_share = o.average_share;
  options.label_dropout = o.label_dropout;
  options.dropout = o.dropout;
  options.augment = o.augment != 0;
  return options;
}

void check_batch(const Trainer& trainer, std::int64_t n, const float* images, const std::int32_t* labels, const double* loss) {
  const NetworkConfig& config = trainer.network().config();
  require(n >= 1 && n <= (std::int64_t{1} << 24), "A step takes 1 to 16777216 images.");
  require(images != nullptr && loss != nullptr, "The images or the place for the loss are missing.");
  const std::int64_t count = n * config.image_elements();
  require(std::all_of(images, images + count, [](float v) { return std::isfinite(v); }), "The images have values that are not finite.");
  for (std::int64_t i = 0; labels != nullptr && i < n; ++i) {
    require(labels[i] >= -1 && labels[i] < config.classes(), "A label is not one of the model's classes, nor -1 for none.");
  }
}

// Rows of a call that has its own noise levels: numbers that are finite, levels above 0, labels of the model's or none.
void check_rows(const Trainer& trainer, std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x) {
  require(n >= 1 && n <= (std::int64_t{1} << 24), "A call takes 1 to 16777216 rows.");
  require(sigma != nullptr && x != nullptr, "The noise levels or the images are missing.");
  for (std::int64_t i = 0; i < n; ++i) {
    require(std::isfinite(sigma[i]) && sigma[i] > 0, "A noise level is not positive and finite.");
    require(labels == nullptr || (labels[i] >= -1 && labels[i] < trainer.network().config().classes()),
            "A label is not one of the model's classes, nor -1 for none.");
  }
  const std::int64_t count = n * trainer.network().config().image_elements();
  require(std::all_of(x, x + count, [](float v) { return std::isfinite(v); }), "The images have values that are not finite.");
}

TrainTensor tensor_of(const dc_train_tensor& kind) {
  require_in(kind, DC_TRAIN_WEIGHT, DC_TRAIN_AVERAGE, "There is no tensor of that kind in a training state.");
  return static_cast<TrainTensor>(kind);
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

dc_status dc_trainer_create(const dc_network_config* config, const char* device, int32_t threads, const char* isa, const dc_train_options* options,
                            int64_t rows, int64_t row_bytes, dc_trainer** trainer) {
  return guard([&] {
    require(config != nullptr && options != nullptr && trainer != nullptr, "The configuration, the options or the place for the trainer is missing.");
    require(rows >= 1, "A batch has at least one row.");
    require(options->augment == 0 || config->augment_dim > 0, "The network has no map for augmentation labels.");
    *trainer = new dc_trainer{Trainer(validate(*config), device_of(device), threads, isa == nullptr ? "" : isa, options_of(*options), rows,
                                      row_elements(row_bytes))};
  });
}

dc_status dc_trainer_step(dc_trainer* trainer, int64_t n, const float* images, const int32_t* labels, const float* augment,
                          double* loss) {
  return guard([&] {
    check_batch(trainer_of(trainer), n, images, labels, loss);
    const std::int64_t marks = n * trainer_of(trainer).network().config().augment_dim;
    require(augment == nullptr || std::all_of(augment, augment + marks, [](float v) { return std::isfinite(v); }),
            "The augmentation labels have values that are not finite.");
    *loss = trainer_of(trainer).step(n, images, labels, augment);
  });
}

dc_status dc_trainer_distil(dc_trainer* trainer, dc_model* teacher, int32_t heads, int64_t n, const float* images, const int32_t* labels, double* loss) {
  return guard([&] {
    check_batch(trainer_of(trainer), n, images, labels, loss);
    require(teacher != nullptr, "The teacher is missing.");
    *loss = trainer_of(trainer).distil(teacher->network, heads, n, images, labels);
  });
}

dc_status dc_trainer_denoise(dc_trainer* trainer, int64_t n, const double* sigma, const int32_t* labels, const float* x, float* denoised) {
  return guard([&] {
    check_rows(trainer_of(trainer), n, sigma, labels, x);
    require(denoised != nullptr, "The place for the denoised images is missing.");
    trainer_of(trainer).denoise(n, sigma, labels, x, denoised);
  });
}

dc_status dc_trainer_step_cotangent(dc_trainer* trainer, int64_t images, int64_t n, const double* sigma, const int32_t* labels, const float* x,
                                    const float* cotangent) {
  return guard([&] {
    check_rows(trainer_of(trainer), n, sigma, labels, x);
    require(images >= 1 && images <= n, "The rows of a step are those of at least one image, and no image is without a row.");
    const std::int64_t count = n * trainer_of(trainer).network().config().image_elements();
    require(cotangent != nullptr && std::all_of(cotangent, cotangent + count, [](float v) { return std::isfinite(v); }),
            "The cotangent is missing or has values that are not finite.");
    trainer_of(trainer).step(images, n, sigma, labels, x, cotangent);
  });
}

dc_status dc_trainer_progress(const dc_trainer* trainer, int64_t* images, int64_t* steps) {
  return guard([&] {
    require(images != nullptr && steps != nullptr, "The place for the progress is missing.");
    *images = trainer_of(trainer).images();
    *steps = trainer_of(trainer).steps();
  });
}

dc_status dc_trainer_set_progress(dc_trainer* trainer, int64_t images, int64_t steps) {
  return guard([&] { trainer_of(trainer).set_progress(images, steps); });
}

dc_status dc_trainer_tensor_count(const dc_trainer* trainer, int64_t* count) {
  return guard([&] {
    require(count != nullptr, "The place for the count is missing.");
    *count = static_cast<std::int64_t>(trainer_of(trainer).network().weights().size());
  });
}

dc_status dc_trainer_tensor_info(const dc_trainer* trainer, int64_t index, const char** name, int64_t shape[4], int32_t* rank, int32_t* learnt) {
  return guard([&] {
    require(learnt != nullptr, "The place for the description is missing.");
    const auto& weights = trainer_of(trainer).network().weights();
    describe_tensor(weights, index, name, shape, rank);
    *learnt = weights[static_cast<std::size_t>(index)].computed ? 0 : 1;
  });
}

dc_status dc_trainer_get(const dc_trainer* trainer, dc_train_tensor kind, const char* name, float* values, int64_t count) {
  return guard([&] {
    require(name != nullptr && values != nullptr, "The tensor's name or the place for it are missing.");
    const auto own = trainer_of(trainer).tensor(tensor_of(kind), name);
    require(count == static_cast<std::int64_t>(own.size()), "The place for a tensor has another size than the tensor.");
    std::copy(own.begin(), own.end(), values);
  });
}

dc_status dc_trainer_set(dc_trainer* trainer, dc_train_tensor kind, const char* name, const float* values, int64_t count) {
  return guard([&] {
    require(name != nullptr && values != nullptr && count >= 0, "The tensor's name or values are missing.");
    trainer_of(trainer).set_tensor(tensor_of(kind), name, {values, static_cast<std::size_t>(count)});
  });
}

void dc_trainer_close(dc_trainer* trainer) { delete trainer; }

}  // extern "C"
