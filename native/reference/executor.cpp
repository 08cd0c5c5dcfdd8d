// The reference device: a plan run in float64, sample by sample, one thread a sample.
#include <algorithm>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "core/thread_pool.hpp"
#include "ops/device.hpp"
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
  }

  void run(std::int64_t n, const float* image, const float* noise_label, const float* label, float* output) override {
    run_all(n, image, noise_label, label, output);
  }
  void run(std::int64_t n, const double* image, const double* noise_label, const double* label, double* output) override {
    run_all(n, image, noise_label, label, output);
  }

  std::int64_t weight_bytes() const override {
    std::int64_t bytes = 0;
    for (const auto& weight : weights_) bytes += static_cast<std::int64_t>(weight.size() * sizeof(double));
    return bytes;
  }
  std::int64_t arena_bytes() const override { return arena_.bytes(); }

 private:
  template <class T>
  void run_all(std::int64_t n, const T* image, const T* noise_label, const T* label, T* output) {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    const std::int64_t pixels = reference::elements(plan_.image), results = reference::elements(plan_.output);
    pool_.parallel_for(n, [&](std::int64_t from, std::int64_t to, int thread) {
      double* arena = arena_.data() + plan_.arena_elements * thread;
      const reference::Place at{
          [&](BufferId id) { return arena + plan_.buffers[static_cast<std::size_t>(id)].offset; },
          [&](WeightId id) -> const std::vector<double>& { return weights_[static_cast<std::size_t>(id)]; }};
      for (std::int64_t sample = from; sample < to; ++sample) {
        std::copy_n(image + sample * pixels, pixels, at.buffer(plan_.image.buffer));
        *at.buffer(plan_.noise_label) = noise_label[sample];
        if (plan_.label != kNone) std::copy_n(label + sample * plan_.label_dim, plan_.label_dim, at.buffer(plan_.label));
        for (const Op& op : plan_.ops) std::visit([&](const auto& o) { reference::run(o, at); }, op);
        const double* from_buffer = at.buffer(plan_.output.buffer);
        std::transform(from_buffer, from_buffer + results, output + sample * results, [](double v) { return static_cast<T>(v); });
      }
    });
  }

  Plan plan_;
  ThreadPool pool_;
  std::vector<std::vector<double>> weights_;
  AlignedBuffer<double> arena_;
  std::int64_t max_batch_ = 0;
};

}  // namespace

std::unique_ptr<Executor> make_reference_executor(const Plan& plan) { return std::make_unique<ReferenceExecutor>(plan); }

}  // namespace diffcert
