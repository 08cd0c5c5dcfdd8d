// The op table on a device of kernels: a GPU, or the emulator. One arena a plan, sized in prepare; no allocation in run but that of graphs. A plan that
// goes backwards, too, is two lists of launches with the cotangent, which the host gives, in between.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "cuda/batch.hpp"
#include "cuda/device_rows.hpp"
#include "cuda/graphs.hpp"
#include "cuda/step.hpp"
#include "ops/device.hpp"
#include "ops/dropout.hpp"

namespace diffcert {
namespace cuda {
namespace {

constexpr std::int64_t kFactors = 3;  // of preconditioning, a sample
constexpr std::int64_t kLargestBatch = 32768;  // samples are a grid's y or z, which ends at 65535

// What votes run of a plan: nothing that goes backwards.
Plan forward_part(Plan plan) {
  plan.ops.resize(static_cast<std::size_t>(plan.forward_count()));
  plan.cotangent = plan.gradient = {};
  return plan;
}

class DeviceExecutor final : public Executor {
 public:
  DeviceExecutor(const Plan& plan, const std::string& device, const std::string& form)
      : plan_(plan), split_(split_plan(forward_part(plan))), device_(Device::open(device)), half_(form == "bf16"), weights_(device_, plan_) {
    if (!form.empty() && form != "fp32" && form != "bf16") {
      throw Error(DC_BAD_ARGUMENT, "The device '" + device + "' computes in fp32 or bf16, not in '" + form + "'.");
    }
    const std::int32_t compute = device_->properties().compute;
    if (half_ && compute != 0 && compute < 80) {
      throw Error(DC_DEVICE_UNAVAILABLE, "The device '" + device + "' has no bf16 arithmetic: it needs compute capability 8.0 or later.");
    }
  }

  void set_weight(WeightId w, std::span<const float> data) override { weights_.set(w, data); }
  Learner* learner() override { return plan_.parameters ? &weights_ : nullptr; }

  // A batch that does not fit is halved until it does; rows do not meet, so that the halves do not show.
  void prepare(std::int64_t max_batch) override {
    invariant(max_batch > 0, "an empty batch");
    build();
    weights_.clear();
    if (max_batch == max_batch_) return;  // graphs name places, and these are where they were
    forward_.clear(), backward_.clear();
    rows_.reset();
    for (chunk_ = std::min(max_batch, kLargestBatch);; chunk_ = (chunk_ + 1) / 2) {
      try {
        arena_ = DeviceMemory(device_, checked_product(checked_product(row_elements(), chunk_), sizeof(float)));
        break;
      } catch (const Error& e) {
        if (e.status != DC_OUT_OF_MEMORY || chunk_ == 1) throw;
      }
    }
    host_ = HostMemory(device_, checked_product(checked_product(chunk_, in_row() + out_row()), sizeof(float)));
    factors_ = DeviceMemory(device_, checked_product(checked_product(chunk_, kFactors), sizeof(float)));
    max_batch_ = max_batch;
  }

  std::int64_t preferred_batch() override {
    build();
    const dc_backend_properties p = device_->properties();
    return std::min(choose_batch(p.free, row_elements() * static_cast<std::int64_t>(sizeof(float)), p.processors), kLargestBatch);
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

  void clear_gradients() override { weights_.clear(); }
  void gradient(WeightId w, std::span<double> values) const override { weights_.gradient(w, values); }

  RowEngine* rows() override {
    if (rows_ == nullptr) rows_ = std::make_unique<DeviceRows>(device_, split_, steps_, static_cast<float*>(arena_.data()), chunk_, half_);
    return rows_.get();
  }

  bool has_memory() const override { return true; }

  void run_resident(std::int64_t n, const float* x, const Preconditioned& by, const float* label, float* out) override {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    const std::int64_t row = elements(plan_.image);
    device_->check_memory(x, n * row * static_cast<std::int64_t>(sizeof(float)));
    device_->check_memory(out, n * row * static_cast<std::int64_t>(sizeof(float)));
    for (std::int64_t from = 0; from < n; from += chunk_) {
      run_resident_chunk(std::min(chunk_, n - from), x + from * row, {by.in + from, by.skip + from, by.scale + from, by.noise_label + from},
                         label == nullptr ? nullptr : label + from * plan_.label_dim, out + from * row);
    }
  }

  std::int64_t weight_bytes() const override {
    std::int64_t bytes = weights_.bytes() + (packs_ ? packs_->bytes() : 0);
    for (const DeviceMemory& table : tables_) bytes += table.bytes();
    return bytes;
  }
  std::int64_t arena_bytes() const override { return arena_.bytes() + host_.bytes() + (rows_ != nullptr ? rows_->bytes() : 0); }

  double device_milliseconds() const override { return milliseconds_; }

 private:
  // Makes the steps, once, and what they read of the weights, whenever these changed.
  void build() {
    if (steps_.empty()) {
      Builder builder(device_, plan_, weights_, half_);
      std::vector<Step> steps;
      for (const Op& op : plan_.ops) {
        steps.push_back(std::visit([&](const auto& o) { return make_step(o, builder); }, op));
      }
      weights_.learn(builder.learnt());
      tables_ = builder.take_tables();
      scratch_ = builder.scratch();
      packs_ = std::move(builder.packs());
      steps_ = std::move(steps);
    }
    if (!weights_.changed()) return;
    rows_.reset();  // it keeps what came of them
    packs_->run();
    weights_.packed();
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

  template <class T>
  void run_all(std::int64_t n, const Batch<T>& batch) {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    invariant(batch.cotangent == nullptr || plan_.cotangent.present(), "a plan that goes forwards only");
    invariant(plan_.chance == kNone || batch.training.chance != nullptr, "dropout without what it is drawn from");
    milliseconds_ = 0;
    for (std::int64_t from = 0; from < n; from += chunk_) run_chunk(from, std::min(chunk_, n - from), batch);
  }

  // Rows [from, from + n) of the batch.
  template <class T>
  void run_chunk(std::int64_t from, std::int64_t n, const Batch<T>& batch) {
    const Frame frame = this->frame(n);
    const std::int64_t in = elements(plan_.image), out = elements(plan_.output);
    auto* const given = static_cast<float*>(host_.data());
    float* host = give(frame.at(plan_.image.buffer).data, batch.image + from * in, n * in, given);
    host = give_labels(frame, batch.noise_label + from, batch.label == nullptr ? nullptr : batch.label + from * plan_.label_dim, host);
    host = give_training(frame, batch.training.augment, plan_.augment_dim, plan_.augment, from, host);
    float* const taken = give_training(frame, batch.training.chance, kChanceParts, plan_.chance, from, host);
    run_timed(frame, forward_, 0, plan_.forward_count());
    take(taken, plan_.output, frame);
    if (batch.output != nullptr) std::transform(taken, taken + n * out, batch.output + from * out, [](float v) { return static_cast<T>(v); });
    if (batch.cotangent == nullptr) return;
    float* const cotangents = taken + n * out;
    for (std::int64_t i = 0; i < n; ++i) ask(*batch.cotangent, from + i, taken + i * out, cotangents + i * out, out);
    device_->upload(frame.at(plan_.cotangent.buffer).data, cotangents, n * out * static_cast<std::int64_t>(sizeof(float)));
    run_timed(frame, backward_, plan_.forward_count(), static_cast<std::int64_t>(steps_.size()));
    take(given, plan_.gradient, frame);
    if (batch.gradient != nullptr) std::transform(given, given + n * in, batch.gradient + from * in, [](float v) { return static_cast<T>(v); });
  }

  static void ask(const Cotangent<float>& cotangent, std::int64_t row, const float* output, float* place, std::int64_t) { cotangent(row, output, place); }
  static void ask(const Cotangent<double>& cotangent, std::int64_t row, const float* output, float* place, std::int64_t count) {
    std::vector<double> shown(output, output + count), given(static_cast<std::size_t>(count));
    cotangent(row, shown.data(), given.data());
    std::transform(given.begin(), given.end(), place, [](double v) { return static_cast<float>(v); });
  }

  // Waits for the feature of all rows.
  void take(float* to, const Feature& feature, const Frame& frame) {
    device_->download(to, frame.at(feature.buffer).data, frame.samples * elements(feature) * static_cast<std::int64_t>(sizeof(float)));
    milliseconds_ += device_->elapsed();
  }

  // What a sample takes of the arena, placed for either way to run it.
  std::int64_t row_elements() const { return std::max(arena_elements(plan_, half_), arena_elements(split_.rows, half_)) + scratch_; }

  // Images that lie on the device: their factors take the host's place of the images themselves.
  void run_resident_chunk(std::int64_t n, const float* x, const Preconditioned& by, const float* label, float* out) {
    const Frame frame = this->frame(n);
    const std::int32_t pixels = plan_.image.height * plan_.image.width, channels = plan_.image.channels;
    auto* host = static_cast<float*>(host_.data());
    auto* const factors = static_cast<float*>(factors_.data());
    const auto factor = [&](std::int64_t which) { return Span<const float>{factors + which * n, n}; };
    host = give(factors, by.in, n, host);
    host = give(factors + n, by.skip, n, host);
    host = give(factors + 2 * n, by.scale, n, host);
    give_labels(frame, by.noise_label, label, host);
    const Span<const float> images{x, n * pixels * channels};
    const Grid grid{blocks(std::int64_t{1} * pixels * channels, kPrecondThreads), static_cast<std::uint32_t>(n)};
    device_->launch<Kernel::scale>(grid, kPrecondThreads, 0, {images, factor(0), frame.at(plan_.image.buffer), pixels, channels});
    run_steps(frame, forward_, 0, plan_.forward_count());
    device_->launch<Kernel::denoised>(grid, kPrecondThreads, 0,
                                      {images, frame.in(plan_.output.buffer), factor(1), factor(2), {out, n * pixels * channels}, pixels, channels,
                                       plan_.output.channels});
    device_->synchronize();
  }

  Frame frame(std::int64_t n) const {
    auto* const arena = static_cast<float*>(arena_.data());
    return {*device_, plan_.buffers, arena, n, half_, arena + arena_elements(plan_, half_) * n, weights_.sums()};
  }

  // Steps [from, to), as a graph of `graphs`.
  void run_steps(const Frame& frame, Graphs& graphs, std::int64_t from, std::int64_t to) {
    graphs.run(*device_, frame.samples, [&] {
      for (std::int64_t i = from; i < to; ++i) steps_[static_cast<std::size_t>(i)](frame);
    });
  }
  void run_timed(const Frame& frame, Graphs& graphs, std::int64_t from, std::int64_t to) {
    device_->mark(0);
    run_steps(frame, graphs, from, to);
    device_->mark(1);
  }

  // Takes values to the device by way of `host`; the next ones begin behind them, since no upload waits.
  template <class T>
  float* give(float* to, const T* values, std::int64_t count, float* host) {
    std::transform(values, values + count, host, [](T v) { return static_cast<float>(v); });
    device_->upload(to, host, count * static_cast<std::int64_t>(sizeof(float)));
    return host + count;
  }

  template <class T>
  float* give_labels(const Frame& frame, const T* noise_label, const T* label, float* host) {
    host = give(frame.at(plan_.noise_label).data, noise_label, frame.samples, host);
    return plan_.label == kNone ? host : give(frame.at(plan_.label).data, label, frame.samples * plan_.label_dim, host);
  }

  // What rows of a training have besides, `each` numbers a row from row `from` on, or zeros, for a plan that asks for them.
  template <class T>
  float* give_training(const Frame& frame, const T* rows, std::int64_t each, BufferId buffer, std::int64_t from, float* host) {
    if (buffer == kNone) return host;
    const std::int64_t count = frame.samples * each;
    const std::vector<T> none(rows == nullptr ? static_cast<std::size_t>(count) : 0, T{0});
    return give(frame.at(buffer).data, rows == nullptr ? none.data() : rows + from * each, count, host);
  }

  // What a sample brings: its image, or three factors.
  std::int64_t in_row() const {
    return std::max(elements(plan_.image), kFactors) + 1 + (plan_.label != kNone ? plan_.label_dim : 0) + plan_.augment_dim +
           (plan_.chance != kNone ? kChanceParts : 0);
  }

  // What it gives: its output and, for a plan that goes backwards, what the host makes of it.
  std::int64_t out_row() const { return elements(plan_.output) * (plan_.cotangent.present() ? 2 : 1); }

  Plan plan_;
  SplitPlan split_;
  std::shared_ptr<Device> device_;
  bool half_;
  Weights weights_;
  std::optional<Packs> packs_;
  std::vector<DeviceMemory> tables_;
  std::vector<Step> steps_;
  DeviceMemory arena_, factors_;
  HostMemory host_;
  Graphs forward_, backward_;
  std::unique_ptr<DeviceRows> rows_;
  std::int64_t max_batch_ = 0, chunk_ = 0, scratch_ = 0;
  double milliseconds_ = 0;
};

}  // namespace
}  // namespace cuda

std::unique_ptr<Executor> make_device_executor(const Plan& plan, const std::string& device, const std::string& form) {
  return std::make_unique<cuda::DeviceExecutor>(plan, device, form);
}

}  // namespace diffcert
