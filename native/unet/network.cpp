#include "unet/network.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/status.hpp"
#include "ops/dropout.hpp"
#include "unet/backward.hpp"
#include "unet/planner.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kMaxBatch = 1 << 16;

std::unique_ptr<Executor> make_executor(const Plan& plan, const std::string& device, int threads, const std::string& isa) {
  if (device == "cpu") return make_cpu_executor(plan, threads, isa);
  if (device == "reference") return make_reference_executor(plan);
  return make_device_executor(plan, device, isa);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// What a computed tensor must hold: the outer product of the filter, or iDDPM's noise levels.
std::vector<double> expected(const Weight& weight, const NetworkConfig& config, const Precond& precond) {
  if (!ends_with(weight.name, "resample_filter")) return precond.levels();
  const std::vector<std::int32_t> filter =
      config.architecture == Architecture::song ? config.resample_filter : std::vector<std::int32_t>{1, 1};
  double sum = 0;
  for (const std::int32_t tap : filter) sum += tap;
  std::vector<double> outer;
  for (const std::int32_t a : filter) {
    for (const std::int32_t b : filter) outer.push_back(a / sum * (b / sum));
  }
  return outer;
}

// body(published row, the plan's row): head * (3 * size) + c * 3 + j, and j * channels + head * size + c.
template <class Body>
void for_split_rows(const Weight& weight, Body&& body) {
  const std::int64_t rows = weight.shape[0], channels = rows / 3, size = channels / weight.heads;
  for (std::int64_t head = 0; head < weight.heads; ++head) {
    for (std::int64_t c = 0; c < size; ++c) {
      for (std::int64_t j = 0; j < 3; ++j) body(head * 3 * size + c * 3 + j, j * channels + head * size + c);
    }
  }
}

std::vector<float> split_rows(std::span<const float> data, const Weight& weight) {
  const std::int64_t width = static_cast<std::int64_t>(data.size()) / weight.shape[0];
  std::vector<float> moved(data.size());
  for_split_rows(weight, [&](std::int64_t published, std::int64_t own) {
    std::copy_n(data.data() + published * width, width, moved.data() + own * width);
  });
  return moved;
}

template <class T>
std::vector<T> published_rows(std::vector<T> own, const Weight& weight) {
  if (weight.rows != RowOrder::qkv) return own;
  std::vector<T> published(own.size());
  const std::int64_t width = static_cast<std::int64_t>(own.size()) / weight.shape[0];
  for_split_rows(weight, [&](std::int64_t row, std::int64_t from) {
    std::copy_n(own.data() + from * width, width, published.data() + row * width);
  });
  return published;
}

}  // namespace

Network::Network(const NetworkConfig& config, const std::string& device, int threads, const std::string& isa, const TrainingForm& form)
    : config_(config), precond_(config), device_(device), isa_(isa), threads_(threads), plan_(plan_network(config, form)),
      executor_(make_executor(plan_, device, threads, isa)), set_(plan_.weights.size(), false) {
  for (std::size_t w = 0; w < plan_.weights.size(); ++w) by_name_.emplace(plan_.weights[w].name, static_cast<WeightId>(w));
}

void Network::differentiate(bool parameters, std::int64_t elements) {
  require(!finished() && std::none_of(set_.begin(), set_.end(), [](bool set) { return set; }),
          "Gradients are asked for before the first tensor is set.");
  require(!differentiable(), "Gradients are asked for once.");
  Plan plan = diffcert::differentiate(plan_, parameters, elements);
  executor_ = make_executor(plan, device_, threads_, isa_);
  plan.weights = std::move(plan_.weights);  // the names that by_name_ looks at stay where they are
  plan_ = std::move(plan);
}

WeightId Network::weight(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) throw Error(DC_BAD_MODEL, "The network has no tensor '" + std::string(name) + "'.");
  return found->second;
}

void Network::set_weight(std::string_view name, std::span<const float> data) {
  const WeightId id = this->weight(name);
  const auto w = static_cast<std::size_t>(id);
  const Weight& weight = plan_.weights[w];
  if (finished()) throw Error(DC_BAD_ARGUMENT, "The tensor '" + weight.name + "' comes after the model was finished.");
  if (set_[w]) throw Error(DC_BAD_MODEL, "The tensor '" + weight.name + "' comes twice.");
  if (static_cast<std::int64_t>(data.size()) != weight.count()) {
    throw Error(DC_BAD_MODEL, "The tensor '" + weight.name + "' has " + std::to_string(data.size()) + " values, the network needs " +
                                  std::to_string(weight.count()) + ".");
  }
  if (!std::all_of(data.begin(), data.end(), [](float v) { return std::isfinite(v); })) {
    throw Error(DC_BAD_MODEL, "The tensor '" + weight.name + "' holds a value that is not finite.");
  }
  if (weight.computed) {
    const std::vector<double> wanted = expected(weight, config_, precond_);
    // The published table of noise levels is a float32 recursion that cancels near zero: 5e-4 off at its small end.
    const double tolerance = ends_with(weight.name, "resample_filter") ? 1e-6 : 1e-3;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (std::abs(data[i] - wanted[i]) > tolerance * (std::abs(wanted[i]) + 1e-6)) {
        throw Error(DC_BAD_MODEL, "The tensor '" + weight.name + "' is not what the configuration gives.");
      }
    }
  } else if (weight.rows == RowOrder::qkv) {
    executor_->set_weight(id, split_rows(data, weight));
  } else {
    executor_->set_weight(id, data);
  }
  set_[w] = true;
}

void Network::replace_weight(WeightId w, std::span<const float> data) {
  const Weight& weight = plan_.weights.at(static_cast<std::size_t>(w));
  invariant(finished() && !weight.computed && static_cast<std::int64_t>(data.size()) == weight.count(), "a weight that cannot be replaced");
  if (weight.rows == RowOrder::qkv) executor_->set_weight(w, split_rows(data, weight));
  else executor_->set_weight(w, data);
}

void Network::set_state(TrainTensor kind, WeightId w, std::span<const float> values) {
  const Weight& weight = plan_.weights.at(static_cast<std::size_t>(w));
  if (weight.rows == RowOrder::qkv) executor_->learner()->set(kind, w, split_rows(values, weight));
  else executor_->learner()->set(kind, w, values);
}

std::vector<float> Network::state(TrainTensor kind, WeightId w) const {
  const Weight& weight = plan_.weights.at(static_cast<std::size_t>(w));
  std::vector<float> own(static_cast<std::size_t>(weight.count()));
  executor_->learner()->get(kind, w, own);
  return published_rows(std::move(own), weight);
}

void Network::finish(std::int64_t max_batch) {
  if (max_batch < 0 || max_batch > kMaxBatch) {
    throw Error(DC_BAD_ARGUMENT, "The largest batch is " + std::to_string(max_batch) + ", must be 1 to " + std::to_string(kMaxBatch) +
                                     ", or 0 for the device's choice.");
  }
  require(!finished(), "The model is finished already.");
  for (std::size_t w = 0; w < plan_.weights.size(); ++w) {
    if (!set_[w] && !plan_.weights[w].computed) throw Error(DC_BAD_MODEL, "The tensor '" + plan_.weights[w].name + "' is missing.");
  }
  if (max_batch == 0) max_batch = executor_->preferred_batch();
  executor_->prepare(max_batch);
  max_batch_ = max_batch;
}

template <class T>
Network::Staging<T>& Network::staging() {
  Staging<T>& io = [&]() -> Staging<T>& {
    if constexpr (std::is_same_v<T, float>) return single_;
    else return double_;
  }();
  if (io.image.size() == 0) {
    const std::int64_t pixels = std::int64_t{config_.img_resolution} * config_.img_resolution;
    io.image = AlignedBuffer<T>(checked_product(max_batch_, config_.image_elements()));
    io.noise_label = AlignedBuffer<T>(max_batch_);
    io.label = AlignedBuffer<T>(checked_product(max_batch_, std::max(1, config_.label_dim)));
    io.output = AlignedBuffer<T>(checked_product(max_batch_, pixels * config_.out_channels()));
  }
  return io;
}

template <class T>
void Network::fill_labels(Staging<T>& io, std::int64_t n, const std::int32_t* labels) {
  std::fill_n(io.label.data(), n * std::max(1, config_.label_dim), T{0});
  if (labels == nullptr || config_.label_dim == 0) return;
  for (std::int64_t i = 0; i < n; ++i) {
    if (labels[i] >= 0) io.label[i * config_.label_dim + labels[i]] = T{1};
  }
}

template <class T, class Body>
void Network::for_batches(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, Body&& body) {
  invariant(finished(), "a network that runs before it is finished");
  Staging<T>& io = staging<T>();
  const std::int64_t pixels = std::int64_t{config_.img_resolution} * config_.img_resolution, channels = config_.img_channels;
  for (std::int64_t from = 0; from < n; from += max_batch_) {
    const std::int64_t first = from * channels * pixels;
    const Rows<T> rows{std::min(max_batch_, n - from), sigma + from, labels == nullptr ? nullptr : labels + from, x + first};
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const Coefficients c = precond_.at(rows.sigma[i]);
      const T* image = rows.x + i * channels * pixels;
      T* place = io.image.data() + i * channels * pixels;
      for (std::int64_t ch = 0; ch < channels; ++ch) {
        for (std::int64_t p = 0; p < pixels; ++p) place[p * channels + ch] = static_cast<T>(c.c_in) * image[ch * pixels + p];
      }
      io.noise_label[i] = static_cast<T>(c.c_noise);
    }
    fill_labels(io, rows.count, rows.labels);
    body(rows, first);
  }
}

template <class T>
void Network::mix(const Rows<T>& rows, std::int64_t i, std::int32_t head, const T* network, T* out) const {
  const std::int64_t pixels = std::int64_t{config_.img_resolution} * config_.img_resolution;
  const std::int64_t channels = config_.img_channels, network_channels = config_.out_channels();
  const Coefficients c = precond_.at(rows.sigma[i]);
  const T *image = rows.x + i * channels * pixels, *own = network + head * channels;
  for (std::int64_t ch = 0; ch < channels; ++ch) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      out[ch * pixels + p] = static_cast<T>(c.c_skip) * image[ch * pixels + p] + static_cast<T>(c.c_out) * own[p * network_channels + ch];
    }
  }
}

template <class T>
void Network::denoise_all(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, T* out) {
  const std::int64_t image = config_.image_elements();
  for_batches(n, sigma, labels, x, [&](const Rows<T>& rows, std::int64_t first) {
    Staging<T>& io = staging<T>();
    executor_->run(rows.count, io.image.data(), io.noise_label.data(), io.label.data(), io.output.data());
    const std::int64_t results = io.output.size() / max_batch_;
    for (std::int64_t i = 0; i < rows.count; ++i) mix(rows, i, head_of(rows, i), io.output.data() + i * results, out + first + i * image);
  });
}

void Network::denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* out) {
  denoise_all(n, sigma, labels, x, out);
}

void Network::denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, double* out) {
  denoise_all(n, sigma, labels, x, out);
}

void Network::each_head(std::int64_t n, const double* sigma, const double* x, const HeadTaker<double>& take) {
  const std::int64_t image = config_.image_elements();
  std::vector<double> denoised(static_cast<std::size_t>(image));
  for_batches<double>(n, sigma, nullptr, x, [&](const Rows<double>& rows, std::int64_t first) {
    Staging<double>& io = staging<double>();
    executor_->run(rows.count, io.image.data(), io.noise_label.data(), io.label.data(), io.output.data());
    const std::int64_t results = io.output.size() / max_batch_;
    for (std::int64_t i = 0; i < rows.count; ++i) {
      for (std::int32_t head = 0; head < config_.heads; ++head) {
        mix(rows, i, head, io.output.data() + i * results, denoised.data());
        take(first / image + i, head, denoised.data());
      }
    }
  });
}

template <class T>
TrainingRows<T> Network::fill_training(const TrainingImages& training, std::int64_t from, std::int64_t count) {
  Staging<T>& io = staging<T>();
  TrainingRows<T> rows;
  if (plan_.augment != kNone && training.augment != nullptr) {
    if (io.augment.size() == 0) io.augment = AlignedBuffer<T>(checked_product(max_batch_, plan_.augment_dim));
    std::transform(training.augment + from * plan_.augment_dim, training.augment + (from + count) * plan_.augment_dim, io.augment.data(),
                   [](float v) { return static_cast<T>(v); });
    rows.augment = io.augment.data();
  }
  if (plan_.chance != kNone) {
    if (io.chance.size() == 0) io.chance = AlignedBuffer<T>(checked_product(max_batch_, kChanceParts));
    for (std::int64_t i = 0; i < count; ++i) write_chance(training.seed, training.first + from + i, io.chance.data() + i * kChanceParts);
    rows.chance = io.chance.data();
  }
  return rows;
}

template <class T>
void Network::pull_all(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, bool every, const TrainingImages& training,
                       const Cotangent<T>& cotangent, T* gradient) {
  require(differentiable(), "The model was not made for gradients.");
  Staging<T>& io = staging<T>();
  const std::int64_t pixels = std::int64_t{config_.img_resolution} * config_.img_resolution;
  const std::int64_t channels = config_.img_channels, network_channels = config_.out_channels(), image = channels * pixels;
  const std::int32_t shown = every ? config_.heads : 1;
  if (io.gradient.size() == 0) io.gradient = AlignedBuffer<T>(io.image.size());
  if (io.cotangent.size() < shown * io.image.size()) {
    io.denoised = AlignedBuffer<T>(checked_product(shown, io.image.size()));
    io.cotangent = AlignedBuffer<T>(io.denoised.size());
  }
  for_batches(n, sigma, labels, x, [&](const Rows<T>& rows, std::int64_t first) {
    const Cotangent<T> of_network = [&](std::int64_t i, const T* output, T* place) {
      T *denoised = io.denoised.data() + i * shown * image, *own = io.cotangent.data() + i * shown * image;
      const std::int32_t head = every ? 0 : head_of(rows, i);
      for (std::int32_t h = 0; h < shown; ++h) mix(rows, i, head + h, output, denoised + h * image);
      cotangent(first / image + i, denoised, own);
      const T c_out = static_cast<T>(precond_.at(rows.sigma[i]).c_out);
      const std::int64_t from = head * channels, to = from + shown * channels;  // other heads and iDDPM's variances have no part in D
      for (std::int64_t ch = 0; ch < network_channels; ++ch) {
        for (std::int64_t p = 0; p < pixels; ++p) {
          place[p * network_channels + ch] = ch >= from && ch < to ? c_out * own[(ch - from) * pixels + p] : T{0};
        }
      }
    };
    executor_->run_backward(rows.count, io.image.data(), io.noise_label.data(), io.label.data(), fill_training<T>(training, first / image, rows.count),
                            of_network, io.gradient.data());
    for (std::int64_t i = 0; gradient != nullptr && i < rows.count; ++i) {
      const Coefficients c = precond_.at(rows.sigma[i]);
      const T *direct = io.cotangent.data() + i * shown * image, *network = io.gradient.data() + i * image;
      T* place = gradient + first + i * image;
      for (std::int64_t ch = 0; ch < channels; ++ch) {
        for (std::int64_t p = 0; p < pixels; ++p) {
          T sum = direct[ch * pixels + p];
          for (std::int32_t h = 1; h < shown; ++h) sum += direct[h * image + ch * pixels + p];
          place[ch * pixels + p] = static_cast<T>(c.c_skip) * sum + static_cast<T>(c.c_in) * network[p * channels + ch];
        }
      }
    }
  });
}

void Network::pull(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const Cotangent<float>& cotangent,
                   float* gradient, const TrainingImages& training) {
  pull_all(n, sigma, labels, x, false, training, cotangent, gradient);
}

void Network::pull(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, const Cotangent<double>& cotangent,
                   double* gradient) {
  pull_all(n, sigma, labels, x, false, {}, cotangent, gradient);
}

void Network::pull_heads(std::int64_t n, const double* sigma, const float* x, const Cotangent<float>& cotangent, float* gradient,
                         const TrainingImages& training) {
  pull_all(n, sigma, nullptr, x, true, training, cotangent, gradient);
}

void Network::pull_heads(std::int64_t n, const double* sigma, const double* x, const Cotangent<double>& cotangent, double* gradient) {
  pull_all(n, sigma, nullptr, x, true, {}, cotangent, gradient);
}

template <class T>
void Network::product(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, const T* cotangent, T* denoised, T* gradient) {
  const std::int64_t image = config_.image_elements();
  const Cotangent<T> given = [&](std::int64_t row, const T* result, T* place) {
    if (denoised != nullptr) std::copy_n(result, image, denoised + row * image);
    std::copy_n(cotangent + row * image, image, place);
  };
  pull_all(n, sigma, labels, x, false, {}, given, gradient);
}

void Network::vector_jacobian(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const float* cotangent,
                              float* denoised, float* gradient) {
  product(n, sigma, labels, x, cotangent, denoised, gradient);
}

void Network::vector_jacobian(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, const double* cotangent,
                              double* denoised, double* gradient) {
  product(n, sigma, labels, x, cotangent, denoised, gradient);
}

void Network::clear_gradients() {
  require(plan_.parameters, "The model was not made for gradients of its weights.");
  executor_->clear_gradients();
}

std::vector<double> Network::gradient(WeightId w) const {
  require(plan_.parameters, "The model was not made for gradients of its weights.");
  const Weight& weight = plan_.weights.at(static_cast<std::size_t>(w));
  std::vector<double> own(static_cast<std::size_t>(weight.count()));
  executor_->gradient(w, own);
  return published_rows(std::move(own), weight);
}

void Network::denoise_resident(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* out) {
  invariant(finished(), "a network that runs before it is finished");
  if (!executor_->has_memory()) return denoise(n, sigma, labels, x, out);
  if (config_.multi_head()) {
    throw Error(DC_DEVICE_UNAVAILABLE, "Images in a device's memory are not denoised by a multi-head model; give them from the host.");
  }
  Staging<float>& io = staging<float>();
  const std::int64_t row = config_.image_elements();
  for (std::int64_t from = 0; from < n; from += max_batch_) {
    const auto count = static_cast<std::size_t>(std::min(max_batch_, n - from));
    std::vector<float> in(count), skip(count), scale(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Coefficients c = precond_.at(sigma[from + static_cast<std::int64_t>(i)]);
      in[i] = static_cast<float>(c.c_in), skip[i] = static_cast<float>(c.c_skip), scale[i] = static_cast<float>(c.c_out);
      io.noise_label[static_cast<std::int64_t>(i)] = static_cast<float>(c.c_noise);
    }
    fill_labels(io, static_cast<std::int64_t>(count), labels == nullptr ? nullptr : labels + from);
    executor_->run_resident(static_cast<std::int64_t>(count), x + from * row, {in.data(), skip.data(), scale.data(), io.noise_label.data()},
                            io.label.data(), out + from * row);
  }
}

void Network::network(std::int64_t n, const float* noise_label, const std::int32_t* labels, const float* x, float* out) {
  invariant(finished(), "a network that runs before it is finished");
  Staging<float>& io = staging<float>();
  const std::int64_t pixels = std::int64_t{config_.img_resolution} * config_.img_resolution;
  const std::int64_t channels = config_.img_channels, results = config_.out_channels();
  for (std::int64_t from = 0; from < n; from += max_batch_) {
    const std::int64_t count = std::min(max_batch_, n - from);
    for (std::int64_t i = 0; i < count * channels * pixels; ++i) {
      const std::int64_t sample = i / (channels * pixels), ch = i / pixels % channels, p = i % pixels;
      io.image[(sample * pixels + p) * channels + ch] = x[from * channels * pixels + i];
    }
    std::copy_n(noise_label + from, count, io.noise_label.data());
    fill_labels(io, count, labels == nullptr ? nullptr : labels + from);
    executor_->run(count, io.image.data(), io.noise_label.data(), io.label.data(), io.output.data());
    for (std::int64_t i = 0; i < count * results * pixels; ++i) {
      const std::int64_t sample = i / (results * pixels), ch = i / pixels % results, p = i % pixels;
      out[from * results * pixels + i] = io.output[(sample * pixels + p) * results + ch];
    }
  }
}

}  // namespace diffcert
