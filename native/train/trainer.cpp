#include "train/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>

#include "core/noise.hpp"
#include "core/status.hpp"
#include "ops/dropout.hpp"
#include "train/distil.hpp"
#include "train/initialise.hpp"

namespace diffcert {
namespace {

constexpr double kMostDropout = 0.9;

void in_range(bool ok, const char* option, const char* range) {
  if (!ok) throw Error(DC_BAD_ARGUMENT, std::string("The training option ") + option + " must be " + range + ".");
}

double mean(const std::vector<double>& losses) {
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

}  // namespace

void validate(const TrainOptions& o) {
  in_range(o.learning_rate > 0 && std::isfinite(o.learning_rate), "learning_rate", "positive and finite");
  in_range(std::abs(o.levels.mean) <= 10, "level_mean", "from -10 to 10");
  in_range(o.levels.deviation > 0 && o.levels.deviation <= 10, "level_deviation", "above 0 and at most 10");
  in_range(o.warmup_images >= 0 && std::isfinite(o.warmup_images), "warmup_images", "finite and not negative");
  in_range(o.decay_images >= 0 && std::isfinite(o.decay_images), "decay_images", "finite and not negative");
  in_range(o.final_rate >= 0 && o.final_rate <= o.learning_rate, "final_rate", "from 0 to learning_rate");
  in_range(o.beta_1 >= 0 && o.beta_1 < 1, "beta_1", "in [0, 1)");
  in_range(o.beta_2 >= 0 && o.beta_2 < 1, "beta_2", "in [0, 1)");
  in_range(o.epsilon > 0 && std::isfinite(o.epsilon), "epsilon", "positive and finite");
  in_range(o.average_images >= 0 && std::isfinite(o.average_images), "average_images", "finite and not negative");
  in_range(o.average_share >= 0 && std::isfinite(o.average_share), "average_share", "finite and not negative");
  in_range(o.label_dropout >= 0 && o.label_dropout <= 1, "label_dropout", "in [0, 1]");
  in_range(o.dropout >= 0 && o.dropout <= kMostDropout, "dropout", "in [0, 0.9]");
}

double rate_at(const TrainOptions& o, double images) {
  double rate = o.learning_rate;
  if (o.decay_images > 0) {
    const double done = std::min(images / o.decay_images, 1.0);
    rate = o.final_rate + (o.learning_rate - o.final_rate) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }
  return o.warmup_images > 0 ? rate * std::min(images / o.warmup_images, 1.0) : rate;
}

Trainer::Trainer(const NetworkConfig& config, const std::string& device, int threads, const std::string& isa, const TrainOptions& options,
                 std::int64_t rows, std::int64_t elements)
    : options_(options), network_(config, device, threads, isa, {options.augment, options.dropout}), pool_(std::make_unique<ThreadPool>(threads)) {
  validate(options);
  network_.differentiate(true, elements);
  for (std::size_t w = 0; w < network_.weights().size(); ++w) {
    State state;
    state.tensor[0] = initial_weight(network_, static_cast<WeightId>(w), options.seed);
    state.tensor[3] = state.tensor[0];
    for (const int moment : {1, 2}) state.tensor[moment].assign(state.tensor[0].size(), 0.0f);
    if (!state.tensor[0].empty()) network_.set_weight(network_.weights()[w].name, state.tensor[0]);
    state_.push_back(std::move(state));
  }
  network_.finish(rows);
  if (!network_.keeps_state()) return;
  for (std::size_t w = 0; w < state_.size(); ++w) {  // where moments begin at zero, too
    if (!state_[w].tensor[3].empty()) network_.set_state(TrainTensor::average, static_cast<WeightId>(w), state_[w].tensor[3]);
  }
  state_.clear();
}

void Trainer::renew() {
  if (!moved_) return network_.clear_gradients();
  for (std::size_t w = 0; w < state_.size(); ++w) {  // none where the device keeps them
    if (!state_[w].tensor[0].empty()) network_.replace_weight(static_cast<WeightId>(w), state_[w].tensor[0]);
  }
  network_.repack();
  moved_ = false;
}

Trainer::Shown Trainer::show(std::int64_t n, const float* images, const std::int32_t* labels) const {
  require(n >= 1, "A batch has at least one row.");
  const std::int64_t elements = network_.config().image_elements();
  Shown shown{std::vector<LossRow>(static_cast<std::size_t>(n)), std::vector<double>(static_cast<std::size_t>(n)),
              std::vector<std::int32_t>(static_cast<std::size_t>(n), -1), std::vector<float>(static_cast<std::size_t>(n * elements))};
  pool_->parallel_for(n, [&](std::int64_t from, std::int64_t to, int) {
    std::vector<double> noise(static_cast<std::size_t>(elements));
    for (std::int64_t i = from; i < to; ++i) {
      const auto row = static_cast<std::size_t>(i);
      const NoiseKey key = training_key(options_.seed, images_ + i);
      const auto draws = key.uniforms(NoiseStream::training, 1, 0);
      shown.rows[row] = loss_row(options_.loss, options_.levels, network_.config(), draws[0]);
      shown.sigma[row] = shown.rows[row].sigma;
      const bool told = static_cast<double>(draws[1] >> 11) * 0x1p-53 >= options_.label_dropout;
      if (labels != nullptr && told) shown.labels[row] = labels[i];
      draw_normals(key, NoiseStream::training, 0, noise);
      for (std::int64_t e = 0; e < elements; ++e) {
        shown.x[static_cast<std::size_t>(i * elements + e)] =
            static_cast<float>(static_cast<double>(images[i * elements + e]) + shown.sigma[row] * noise[static_cast<std::size_t>(e)]);
      }
    }
  });
  return shown;
}

double Trainer::step(std::int64_t n, const float* images, const std::int32_t* labels, const float* augment) {
  require(augment == nullptr || network_.plan().augment != kNone, "The training was not made for augmentation labels.");
  const std::int64_t elements = network_.config().image_elements();
  const Shown shown = show(n, images, labels);
  std::vector<double> losses(static_cast<std::size_t>(n));
  const Cotangent<float> squares = [&](std::int64_t row, const float* denoised, float* cotangent) {
    const double weight = shown.rows[static_cast<std::size_t>(row)].weight;
    double sum = 0;
    for (std::int64_t e = 0; e < elements; ++e) {
      const double d = static_cast<double>(denoised[e]) - static_cast<double>(images[row * elements + e]);
      sum += d * d;
      cotangent[e] = static_cast<float>(2 * weight * d / static_cast<double>(n));
    }
    losses[static_cast<std::size_t>(row)] = weight * sum / static_cast<double>(elements);
  };
  renew();
  network_.pull(n, shown.sigma.data(), shown.labels.data(), shown.x.data(), squares, nullptr, {augment, options_.seed, images_});
  descend(n);
  return mean(losses);
}

double Trainer::distil(Network& teacher, std::int32_t heads, std::int64_t n, const float* images, const std::int32_t* labels) {
  const NetworkConfig& config = network_.config();
  check_teacher(teacher, config, heads);
  const std::int64_t elements = config.image_elements();
  const Shown shown = show(n, images, labels);
  // The teacher's rows: the chosen heads of an image stand together.
  std::vector<HeadShare> chosen;
  std::vector<double> sigma, losses(static_cast<std::size_t>(n));
  std::vector<std::int32_t> told;
  std::vector<float> x;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto own = static_cast<std::size_t>(i);
    for (const HeadShare& share : choose_heads(config, training_key(options_.seed, images_ + i), shown.labels[own], heads)) {
      chosen.push_back(share);
      sigma.push_back(shown.sigma[own]);
      told.push_back(share.head == config.classes() ? -1 : share.head);
      x.insert(x.end(), shown.x.begin() + i * elements, shown.x.begin() + (i + 1) * elements);
    }
  }
  std::vector<float> targets(x.size());
  teacher.denoise(n * heads, sigma.data(), told.data(), x.data(), targets.data());
  const Cotangent<float> squares = [&](std::int64_t row, const float* denoised, float* cotangent) {
    const double weight = shown.rows[static_cast<std::size_t>(row)].weight;
    std::fill_n(cotangent, config.heads * elements, 0.0f);
    double loss = 0;
    for (std::int64_t c = row * heads; c < (row + 1) * heads; ++c) {
      const HeadShare& share = chosen[static_cast<std::size_t>(c)];
      const float *target = targets.data() + c * elements, *student = denoised + share.head * elements;
      float* place = cotangent + share.head * elements;
      double sum = 0;
      for (std::int64_t e = 0; e < elements; ++e) {
        const double d = static_cast<double>(student[e]) - static_cast<double>(target[e]);
        sum += d * d;
        place[e] = static_cast<float>(2 * share.weight * weight * d / static_cast<double>(n));
      }
      loss += share.weight * sum;
    }
    losses[static_cast<std::size_t>(row)] = weight * loss / static_cast<double>(elements);
  };
  renew();
  network_.pull_heads(n, shown.sigma.data(), shown.x.data(), squares, nullptr, {nullptr, options_.seed, images_});
  descend(n);
  return mean(losses);
}

// Each number on its own, by the device or here; then threads take weights as they come free.
void Trainer::descend(std::int64_t n) {
  const double seen = static_cast<double>(images_), steps = static_cast<double>(steps_ + 1);
  const double life = options_.average_share > 0 ? std::min(options_.average_images, options_.average_share * seen) : options_.average_images;
  const AdamStep by{rate_at(options_, seen), options_.beta_1, options_.beta_2, 1 - std::pow(options_.beta_1, steps), 1 - std::pow(options_.beta_2, steps),
                    options_.epsilon, std::pow(0.5, static_cast<double>(n) / std::max(life, 1e-8))};
  const auto move = [&](std::size_t w) {
    State& state = state_[w];
    if (state.tensor[0].empty()) return;
    const std::vector<double> gradient = network_.gradient(static_cast<WeightId>(w));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      float number[kTrainTensors];
      for (int kind = 0; kind < kTrainTensors; ++kind) number[kind] = state.tensor[kind][i];
      adam(by, gradient[i], number);
      for (int kind = 0; kind < kTrainTensors; ++kind) state.tensor[kind][i] = number[kind];
    }
  };
  if (network_.keeps_state()) {
    network_.step(by);
  } else {
    std::atomic<std::size_t> next{0};
    pool_->run([&](int) {
      for (std::size_t w = next++; w < state_.size(); w = next++) move(w);
    });
  }
  images_ += n;
  ++steps_;
  moved_ = true;
}

std::vector<float> Trainer::tensor(TrainTensor kind, std::string_view name) const {
  const WeightId w = network_.weight(name);
  if (!network_.keeps_state()) return state_[static_cast<std::size_t>(w)].tensor[static_cast<std::size_t>(kind)];
  return network_.weights()[static_cast<std::size_t>(w)].computed ? std::vector<float>() : network_.state(kind, w);
}

void Trainer::set_tensor(TrainTensor kind, std::string_view name, std::span<const float> values) {
  const WeightId w = network_.weight(name);
  const Weight& weight = network_.weights()[static_cast<std::size_t>(w)];
  const std::int64_t count = weight.computed ? 0 : weight.count();
  if (static_cast<std::int64_t>(values.size()) != count) {
    throw Error(DC_BAD_MODEL, "The tensor '" + std::string(name) + "' of a training state has " + std::to_string(values.size()) + " values, must have " +
                                  std::to_string(count) + ".");
  }
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
    throw Error(DC_BAD_MODEL, "The tensor '" + std::string(name) + "' of a training state holds a value that is not finite.");
  }
  if (!network_.keeps_state()) std::copy(values.begin(), values.end(), state_[static_cast<std::size_t>(w)].tensor[static_cast<std::size_t>(kind)].begin());
  else if (count > 0) network_.set_state(kind, w, values);
  moved_ = true;
}

void Trainer::set_progress(std::int64_t images, std::int64_t steps) {
  require(images >= 0 && steps >= 0, "The numbers of images and steps so far are not negative.");
  images_ = images;
  steps_ = steps;
}

}  // namespace diffcert
