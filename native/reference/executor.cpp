// The reference device: a plan run in float64, sample by sample, one thread a sample.
#include <algorithm>
#include <functional>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "core/thread_pool.hpp"
#include "ops/device.hpp"
#include "ops/dropout.hpp"
#include "reference/ops.hpp"

namespace diffcert {
namespace {

class ReferenceExecutor final : public Executor {
 public:
  explicit ReferenceExecutor(const Plan& plan) : plan_(plan), pool_(0), weights_(plan.weights.size()) {}

  void set_weight(WeightId w, std::span<const float> data) override {
    weights_.at(static_cast<std::size_t>(w)).assign(data.begin(), data.end());
  }

  void prepare(std::int64_t max_batch) override {
    invariant(max_batch > 0, "an empty batch");
    arena_ = AlignedBuffer<double>(checked_product(plan_.arena_elements, pool_.threads()));
    max_batch_ = max_batch;
    gradients_.clear();
    for (std::size_t w = 0; plan_.parameters && w < weights_.size(); ++w) gradients_.emplace_back(weights_[w].size(), 0.0);
  }

  void run(std::int64_t n, const float* image, const float* noise_label, const float* label, float* output) override {
    run_all(n, Batch<float>{image, noise_label, label, output, nullptr, nullptr, {}});
  }
  void run(std::int64_t n, const double* image, const double* noise_label, const double* label, double* output) override {
    run_all(n, Batch<double>{image, noise_label, label, output, nullptr, nullptr, {}});
  }
  void run_backward(std::int64_t n, const float* image, const float* noise_label, const float* label, const TrainingRows<float>& training,
                    const Cotangent<float>& cotangent, float* gradient) override {
    run_all(n, Batch<float>{image, noise_label, label, nullptr, &cotangent, gradient, training});
  }
  void run_backward(std::int64_t n, const double* image, const double* noise_label, const double* label, const TrainingRows<double>& training,
                    const Cotangent<double>& cotangent, double* gradient) override {
    run_all(n, Batch<double>{image, noise_label, label, nullptr, &cotangent, gradient, training});
  }

  void clear_gradients() override {
    for (auto& gradient : gradients_) std::fill(gradient.begin(), gradient.end(), 0.0);
  }
  void gradient(WeightId w, std::span<double> values) const override {
    const auto& own = gradients_.at(static_cast<std::size_t>(w));
    invariant(values.size() >= own.size(), "a gradient of another size than its weight");
    std::fill(std::copy(own.begin(), own.end(), values.begin()), values.end(), 0.0);
  }

  std::int64_t weight_bytes() const override {
    std::int64_t bytes = 0;
    for (const auto& weight : weights_) bytes += static_cast<std::int64_t>(weight.size() * sizeof(double));
    return bytes;
  }
  std::int64_t arena_bytes() const override { return arena_.bytes(); }

 private:
  // The arrays of a call; no cotangent: forwards only.
  template <class T>
  struct Batch {
    const T *image, *noise_label, *label;
    T* output;
    const Cotangent<T>* cotangent;
    T* gradient;
    TrainingRows<T> training = {};
  };

  // The plan for one sample, in one thread's arena; the weights' gradients go to `gradients`.
  template <class T>
  void run_sample(const Batch<T>& batch, std::int64_t sample, int thread, std::vector<std::vector<double>>* gradients) {
    double* arena = arena_.data() + plan_.arena_elements * thread;
    const reference::Place at{
        [&](BufferId id) { return arena + plan_.buffers[static_cast<std::size_t>(id)].offset; },
        [&](WeightId id) -> const std::vector<double>& { return weights_[static_cast<std::size_t>(id)]; },
        [&](WeightId id) { return (*gradients)[static_cast<std::size_t>(id)].data(); }};
    const auto give = [&](const T* values, const Feature& to) {
      const std::int64_t count = reference::elements(to);
      std::copy_n(values + sample * count, count, at.buffer(to.buffer));
    };
    const auto take = [&](const Feature& from, T* values) {
      const std::int64_t count = reference::elements(from);
      const double* place = at.buffer(from.buffer);
      std::transform(place, place + count, values + sample * count, [](double v) { return static_cast<T>(v); });
    };
    const auto run_ops = [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) std::visit([&](const auto& o) { reference::run(o, at); }, plan_.ops[static_cast<std::size_t>(i)]);
    };
    give(batch.image, plan_.image);
    *at.buffer(plan_.noise_label) = batch.noise_label[sample];
    if (plan_.label != kNone) std::copy_n(batch.label + sample * plan_.label_dim, plan_.label_dim, at.buffer(plan_.label));
    const auto give_training = [&](const T* values, std::int64_t count, BufferId to) {
      if (to == kNone) return;
      if (values == nullptr) std::fill_n(at.buffer(to), count, 0.0);
      else std::copy_n(values + sample * count, count, at.buffer(to));
    };
    give_training(batch.training.augment, plan_.augment_dim, plan_.augment);
    give_training(batch.training.chance, kChanceParts, plan_.chance);
    run_ops(0, plan_.forward_count());
    if (batch.output != nullptr) take(plan_.output, batch.output);
    if (batch.cotangent == nullptr) return;
    std::vector<T> shown(static_cast<std::size_t>(reference::elements(plan_.output))), given(shown.size());
    const double* output = at.buffer(plan_.output.buffer);
    std::transform(output, output + shown.size(), shown.begin(), [](double v) { return static_cast<T>(v); });
    (*batch.cotangent)(sample, shown.data(), given.data());
    std::copy(given.begin(), given.end(), at.buffer(plan_.cotangent.buffer));
    run_ops(plan_.forward_count(), static_cast<std::int64_t>(plan_.ops.size()));
    if (batch.gradient != nullptr) take(plan_.gradient, batch.gradient);
  }

  template <class T>
  void run_all(std::int64_t n, const Batch<T>& batch) {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    invariant(batch.cotangent == nullptr || plan_.cotangent.present(), "a plan that goes forwards only");
    invariant(plan_.chance == kNone || batch.training.chance != nullptr, "dropout without what it is drawn from");
    if (batch.cotangent != nullptr && plan_.parameters) {
      run_learning(n, batch);
      return;
    }
    pool_.parallel_for(n, [&](std::int64_t from, std::int64_t to, int thread) {
      for (std::int64_t sample = from; sample < to; ++sample) run_sample(batch, sample, thread, nullptr);
    });
  }

  // A sample a thread, each with gradients of its own; then these are added in the order of the samples.
  template <class T>
  void run_learning(std::int64_t n, const Batch<T>& batch) {
    const std::int64_t threads = pool_.threads();
    std::vector<std::vector<std::vector<double>>> own(static_cast<std::size_t>(threads));
    for (std::int64_t first = 0; first < n; first += threads) {
      const std::int64_t count = std::min(threads, n - first);
      pool_.parallel_for(count, [&](std::int64_t from, std::int64_t to, int thread) {
        for (std::int64_t i = from; i < to; ++i) {
          auto& gradients = own[static_cast<std::size_t>(i)];
          gradients.clear();
          for (const auto& weight : weights_) gradients.emplace_back(weight.size(), 0.0);
          run_sample(batch, first + i, thread, &gradients);
        }
      });
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::size_t w = 0; w < weights_.size(); ++w) {
          const auto& from = own[static_cast<std::size_t>(i)][w];
          std::transform(from.begin(), from.end(), gradients_[w].begin(), gradients_[w].begin(), std::plus<>());
        }
      }
    }
  }

  Plan plan_;
  ThreadPool pool_;
  std::vector<std::vector<double>> weights_, gradients_;
  AlignedBuffer<double> arena_;
  std::int64_t max_batch_ = 0;
};

}  // namespace

std::unique_ptr<Executor> make_reference_executor(const Plan& plan) { return std::make_unique<ReferenceExecutor>(plan); }

}  // namespace diffcert
