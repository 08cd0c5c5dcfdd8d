// The CPU device: a plan's steps, its packed weights, one arena and the threads' scratch, all sized in prepare.
#include <algorithm>
#include <cstring>
#include <string>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "cpu/step.hpp"
#include "ops/device.hpp"
#include "ops/dropout.hpp"

namespace diffcert {
namespace cpu {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// A batch is run in chunks whose features are meant to stay in the third-level cache, but of at least 8 rows, so that large
// weights are not fetched too often. Rows do not meet, so the chunks do not show.
constexpr std::int64_t kChunkFloats = (16 << 20) / sizeof(float);
constexpr std::int64_t kLeast = 8;

std::vector<WeightId> weights_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const EmbedOp& o) { return std::vector<WeightId>{o.freqs}; },
                        [](const LinearOp& o) { return std::vector<WeightId>{o.weight, o.bias}; },
                        [](const NormOp& o) { return std::vector<WeightId>{o.gamma, o.beta}; },
                        [](const NormBackwardOp& o) { return std::vector<WeightId>{o.norm.gamma, o.norm.beta}; },
                        [](const ConvOp& o) { return std::vector<WeightId>{o.weight, o.bias, o.skip_weight, o.skip_bias}; },
                        [](const auto&) { return std::vector<WeightId>{}; },
                    },
                    op);
}

class CpuExecutor final : public Executor {
 public:
  CpuExecutor(const Plan& plan, int threads, const std::string& isa)
      : plan_(plan), kernels_(choose_kernels(isa.c_str())), pool_(threads), weights_(plan.weights.size()) {}

  void set_weight(WeightId w, std::span<const float> data) override {
    if (!steps_.empty()) {  // packed already: these are new ones
      steps_.clear();
      weights_.resize(plan_.weights.size());
    }
    weights_.at(static_cast<std::size_t>(w)).assign(data.begin(), data.end());
  }

  void prepare(std::int64_t max_batch) override {
    invariant(max_batch > 0, "an empty batch");
    if (steps_.empty()) pack_weights();
    chunk_ = std::clamp<std::int64_t>(kChunkFloats / std::max<std::int64_t>(1, plan_.arena_elements), std::min(kLeast, max_batch),
                                      max_batch);
    std::int64_t shared = 0;
    scratch_size_ = 0;
    for (const auto& step : steps_) {
      scratch_size_ = std::max(scratch_size_, step->scratch_floats());
      shared = std::max(shared, step->shared_floats(chunk_));
    }
    scratch_size_ = (scratch_size_ + 15) / 16 * 16 + 16;
    const auto hold = [](AlignedBuffer<float>& memory, std::int64_t count) {
      if (memory.size() != count) memory = AlignedBuffer<float>(count);
    };
    hold(arena_, checked_product(plan_.arena_elements, chunk_));
    hold(scratch_, checked_product(scratch_size_, pool_.threads()));
    hold(shared_, shared);
    max_batch_ = max_batch;
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
    for (const auto& step : steps_) step->clear_gradient();
  }
  void gradient(WeightId w, std::span<double> values) const override {
    std::fill(values.begin(), values.end(), 0.0);
    for (const auto& step : steps_) step->add_gradient(w, values);
  }

  std::int64_t weight_bytes() const override {
    std::int64_t floats = 0;
    for (const auto& step : steps_) floats += step->weight_floats();
    return floats * static_cast<std::int64_t>(sizeof(float));
  }
  std::int64_t arena_bytes() const override { return arena_.bytes() + scratch_.bytes() + shared_.bytes(); }

 private:
  // Each weight is dropped once the last op that names it has packed it, so that both forms are never whole at once.
  void pack_weights() {
    const WeightSource weights = [this](WeightId w) -> const std::vector<float>& {
      return weights_.at(static_cast<std::size_t>(w));
    };
    std::vector<std::size_t> last_use(weights_.size(), 0);
    for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
      for (const WeightId w : weights_of(plan_.ops[i])) {
        if (w != kNone) last_use.at(static_cast<std::size_t>(w)) = i;
      }
    }
    for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
      const Op& op = plan_.ops[i];
      steps_.push_back(std::visit(Overloaded{
                                      [&](const EmbedOp& o) { return make_embed(o, weights); },
                                      [&](const LinearOp& o) { return make_linear(o, weights); },
                                      [&](const StatsOp& o) { return make_statistics(o); },
                                      [&](const NormOp& o) { return make_norm(o, weights); },
                                      [&](const ConvOp& o) { return make_conv(o, weights); },
                                      [&](const ResampleOp& o) { return make_resample(o); },
                                      [&](const AttentionOp& o) { return make_attention(o); },
                                      [&](const AddOp& o) { return make_add(o); },
                                      [&](const DropoutOp& o) { return make_dropout(o); },
                                      [&](const LoadSumsOp& o) { return make_load_sums(o); },
                                      [&](const NormBackwardOp& o) { return make_norm_backward(o, weights); },
                                      [&](const PullbackOp& o) { return make_pullback(o); },
                                      [&](const AttentionBackwardOp& o) { return make_attention_backward(o); },
                                      [&](const SiluBackwardOp& o) { return make_silu_backward(o); },
                                      [&](const ChannelSumOp& o) { return make_channel_sum(o); },
                                      [&](const ConvGradientOp& o) { return make_conv_gradient(o); },
                                      [&](const LinearGradientOp& o) { return make_linear_gradient(o); },
                                      [&](const AccumulateOp& o) { return make_accumulate(o); },
                                  },
                                  op));
      for (const WeightId w : weights_of(op)) {
        if (w != kNone && last_use[static_cast<std::size_t>(w)] == i) weights_[static_cast<std::size_t>(w)] = {};
      }
    }
    weights_ = {};
  }

  // The arrays of a call; no cotangent: forwards only.
  template <class T>
  struct Batch {
    const T *image, *noise_label, *label;
    T* output;
    const Cotangent<T>* cotangent;
    T* gradient;
    TrainingRows<T> training = {};
  };

  static std::int64_t elements(const Feature& f) { return static_cast<std::int64_t>(f.height) * f.width * f.channels; }

  template <class T>
  void run_all(std::int64_t n, const Batch<T>& batch) {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    invariant(batch.cotangent == nullptr || plan_.cotangent.present(), "a plan that goes forwards only");
    invariant(plan_.chance == kNone || batch.training.chance != nullptr, "dropout without what it is drawn from");
    const std::int64_t chunks = (n + chunk_ - 1) / chunk_;
    for (std::int64_t i = 0; i < chunks; ++i) run_chunk(n * i / chunks, n * (i + 1) / chunks, batch);
  }

  static void ask(const Cotangent<float>& cotangent, std::int64_t row, const float* output, float* place, std::int64_t /*count*/) {
    cotangent(row, output, place);
  }
  static void ask(const Cotangent<double>& cotangent, std::int64_t row, const float* output, float* place, std::int64_t count) {
    std::vector<double> shown(output, output + count), given(static_cast<std::size_t>(count));
    cotangent(row, shown.data(), given.data());
    std::transform(given.begin(), given.end(), place, [](double v) { return static_cast<float>(v); });
  }

  // Rows [from, to) of the batch.
  template <class T>
  void run_chunk(std::int64_t from, std::int64_t to, const Batch<T>& batch) {
    const Frame frame{kernels_, pool_, plan_.buffers, arena_.data(), to - from, scratch_.data(), scratch_size_, shared_.data()};
    const auto give = [&](const T* values, std::int64_t count, BufferId buffer) {
      for (std::int64_t row = from; row < to; ++row) {
        std::transform(values + row * count, values + (row + 1) * count, frame.at(buffer, row - from), [](T v) { return static_cast<float>(v); });
      }
    };
    const auto take = [&](const Feature& feature, T* values) {
      const std::int64_t count = elements(feature);
      for (std::int64_t row = from; row < to; ++row) {
        const float* place = frame.at(feature.buffer, row - from);
        std::transform(place, place + count, values + row * count, [](float v) { return static_cast<T>(v); });
      }
    };
    give(batch.image, elements(plan_.image), plan_.image.buffer);
    give(batch.noise_label, 1, plan_.noise_label);
    if (plan_.label != kNone) give(batch.label, plan_.label_dim, plan_.label);
    const auto give_training = [&](const T* values, std::int64_t count, BufferId buffer) {
      if (buffer == kNone) return;
      if (values != nullptr) give(values, count, buffer);
      else for (std::int64_t row = 0; row < frame.samples; ++row) std::fill_n(frame.at(buffer, row), count, 0.0f);
    };
    give_training(batch.training.augment, plan_.augment_dim, plan_.augment);
    give_training(batch.training.chance, kChanceParts, plan_.chance);
    const auto turn = steps_.begin() + plan_.forward_count();
    for (auto step = steps_.begin(); step != turn; ++step) (*step)->run(frame);
    if (batch.output != nullptr) take(plan_.output, batch.output);
    if (batch.cotangent == nullptr) return;
    pool_.parallel_for(to - from, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t i = first; i < last; ++i) {
        ask(*batch.cotangent, from + i, frame.at(plan_.output.buffer, i), frame.at(plan_.cotangent.buffer, i), elements(plan_.output));
      }
    });
    for (auto step = turn; step != steps_.end(); ++step) (*step)->run(frame);
    if (batch.gradient != nullptr) take(plan_.gradient, batch.gradient);
  }

  Plan plan_;
  const Kernels& kernels_;
  ThreadPool pool_;
  std::vector<std::vector<float>> weights_;
  std::vector<std::unique_ptr<Step>> steps_;
  AlignedBuffer<float> arena_, scratch_, shared_;
  std::int64_t scratch_size_ = 0, max_batch_ = 0, chunk_ = 0;
};

}  // namespace
}  // namespace cpu

std::unique_ptr<Executor> make_cpu_executor(const Plan& plan, int threads, const std::string& isa) {
  return std::make_unique<cpu::CpuExecutor>(plan, threads, isa);
}

}  // namespace diffcert
