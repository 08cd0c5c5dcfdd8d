// The op table on a device of kernels: a GPU, or the emulator. One arena a plan, sized in prepare; no allocation in run but that of graphs.
#include <algorithm>
#include <utility>

#include "core/arena.hpp"
#include "core/status.hpp"
#include "cuda/batch.hpp"
#include "cuda/device_rows.hpp"
#include "cuda/graphs.hpp"
#include "cuda/step.hpp"
#include "ops/device.hpp"

namespace diffcert {
namespace cuda {
namespace {

constexpr std::int64_t kFactors = 3;  // of preconditioning, a sample
constexpr std::int64_t kLargestBatch = 32768;  // samples are a grid's y or z, which ends at 65535

class DeviceExecutor final : public Executor {
 public:
  DeviceExecutor(const Plan& plan, const std::string& device, const std::string& form)
      : plan_(plan), split_(split_plan(plan)), device_(Device::open(device)), half_(form == "bf16"), weights_(plan.weights.size()) {
    if (!form.empty() && form != "fp32" && form != "bf16") {
      throw Error(DC_BAD_ARGUMENT, "The device '" + device + "' computes in fp32 or bf16, not in '" + form + "'.");
    }
    if (plan.cotangent.present()) {
      throw Error(DC_DEVICE_UNAVAILABLE, "The device '" + device + "' computes no gradients; use cpu or reference.");
    }
    const std::int32_t compute = device_->properties().compute;
    if (half_ && compute != 0 && compute < 80) {
      throw Error(DC_DEVICE_UNAVAILABLE, "The device '" + device + "' has no bf16 arithmetic: it needs compute capability 8.0 or later.");
    }
  }

  void set_weight(WeightId w, std::span<const float> data) override {
    weights_.at(static_cast<std::size_t>(w)).assign(data.begin(), data.end());
  }

  // A batch that does not fit is halved until it does; rows do not meet, so that the halves do not show.
  void prepare(std::int64_t max_batch) override {
    invariant(max_batch > 0, "an empty batch");
    build();
    graphs_.clear();
    rows_.reset();
    for (chunk_ = std::min(max_batch, kLargestBatch);; chunk_ = (chunk_ + 1) / 2) {
      try {
        arena_ = DeviceMemory(device_, checked_product(checked_product(row_elements(), chunk_), sizeof(float)));
        break;
      } catch (const Error& e) {
        if (e.status != DC_OUT_OF_MEMORY || chunk_ == 1) throw;
      }
    }
    host_ = HostMemory(device_, checked_product(checked_product(chunk_, in_row() + elements(plan_.output)), sizeof(float)));
    factors_ = DeviceMemory(device_, checked_product(checked_product(chunk_, kFactors), sizeof(float)));
    max_batch_ = max_batch;
  }

  std::int64_t preferred_batch() override {
    build();
    const dc_backend_properties p = device_->properties();
    return std::min(choose_batch(p.free, row_elements() * static_cast<std::int64_t>(sizeof(float)), p.processors), kLargestBatch);
  }

  void run(std::int64_t n, const float* image, const float* noise_label, const float* label, float* output) override {
    run_all(n, image, noise_label, label, output);
  }
  void run(std::int64_t n, const double* image, const double* noise_label, const double* label, double* output) override {
    run_all(n, image, noise_label, label, output);
  }

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
    std::int64_t bytes = 0;
    for (const DeviceMemory& memory : packed_) bytes += memory.bytes();
    return bytes;
  }
  std::int64_t arena_bytes() const override { return arena_.bytes() + host_.bytes() + (rows_ != nullptr ? rows_->bytes() : 0); }

  double device_milliseconds() const override { return milliseconds_; }

 private:
  void build() {
    if (!steps_.empty()) return;
    Builder builder(device_, plan_, weights_, half_);
    for (const Op& op : plan_.ops) {
      steps_.push_back(std::visit(
          [&](const auto& o) -> Step {
            if constexpr (requires { make_step(o, builder); }) return make_step(o, builder);
            throw Error(DC_INTERNAL, "A device without gradients was given a backward op.");
          },
          op));
    }
    packed_ = builder.take();
    scratch_ = builder.scratch();
    weights_ = {};
  }

  template <class T>
  void run_all(std::int64_t n, const T* image, const T* noise_label, const T* label, T* output) {
    invariant(n > 0 && n <= max_batch_, "a batch larger than the arena was made for");
    milliseconds_ = 0;
    for (std::int64_t from = 0; from < n; from += chunk_) {
      run_chunk(std::min(chunk_, n - from), image + from * elements(plan_.image), noise_label + from,
                label == nullptr ? nullptr : label + from * plan_.label_dim, output + from * elements(plan_.output));
    }
  }

  template <class T>
  void run_chunk(std::int64_t n, const T* image, const T* noise_label, const T* label, T* output) {
    const Frame frame = this->frame(n);
    auto* host = static_cast<float*>(host_.data());
    host = give(frame.at(plan_.image.buffer).data, image, n * elements(plan_.image), host);
    host = give_labels(frame, noise_label, label, host);
    device_->mark(0);
    run_steps(frame);
    device_->mark(1);
    const std::int64_t count = n * elements(plan_.output);
    device_->download(host, frame.at(plan_.output.buffer).data, count * static_cast<std::int64_t>(sizeof(float)));
    milliseconds_ += device_->elapsed();
    std::transform(host, host + count, output, [](float v) { return static_cast<T>(v); });
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
    run_steps(frame);
    device_->launch<Kernel::denoised>(grid, kPrecondThreads, 0,
                                      {images, frame.in(plan_.output.buffer), factor(1), factor(2), {out, n * pixels * channels}, pixels, channels,
                                       plan_.output.channels});
    device_->synchronize();
  }

  Frame frame(std::int64_t n) const {
    auto* const arena = static_cast<float*>(arena_.data());
    return {*device_, plan_.buffers, arena, n, half_, arena + arena_elements(plan_, half_) * n};
  }

  void run_steps(const Frame& frame) {
    graphs_.run(*device_, frame.samples, [&] {
      for (const Step& step : steps_) step(frame);
    });
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

  // What a sample brings: its image, or three factors.
  std::int64_t in_row() const { return std::max(elements(plan_.image), kFactors) + 1 + (plan_.label != kNone ? plan_.label_dim : 0); }

  Plan plan_;
  SplitPlan split_;
  std::shared_ptr<Device> device_;
  bool half_;
  std::vector<std::vector<float>> weights_;
  std::vector<DeviceMemory> packed_;
  std::vector<Step> steps_;
  DeviceMemory arena_, factors_;
  HostMemory host_;
  Graphs graphs_;
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
