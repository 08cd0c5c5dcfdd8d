// What a device is to the rest of the core: it holds a model's weights in its own form and runs the model's plan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "ops/adam.hpp"
#include "ops/ops.hpp"
#include "ops/row_engine.hpp"

namespace diffcert {

// A batch that keeps the threads of a CPU busy and its caches warm.
inline constexpr std::int64_t kCpuBatch = 80;

// Gives a row's cotangent, [R, R, Cout] as the output that it is shown. Asked once a row, by several threads at once; all of it is to be written.
template <class T>
using Cotangent = std::function<void(std::int64_t row, const T* output, T* cotangent)>;

// What else the rows of a plan for training have (ops/ops.hpp); null where the plan does not ask, and for augmentation labels that are zero.
template <class T>
struct TrainingRows {
  const T *augment = nullptr, *chance = nullptr;  // n x [augment_dim], n x [kChanceParts]
};

// What preconditioning does to each of n images: D = skip x + scale F(in x; noise_label).
struct Preconditioned {
  const float *in, *skip, *scale, *noise_label;  // [n], on the host
};

// A device that keeps a training's state in its own memory and moves the weights there. After prepare; weights in the form of set_weight.
class Learner {
 public:
  virtual ~Learner() = default;
  virtual void set(TrainTensor kind, WeightId w, std::span<const float> values) = 0;
  virtual void get(TrainTensor kind, WeightId w, std::span<float> values) const = 0;
  // Moves all weights by their gradients. The network computes with the new ones after Executor::prepare.
  virtual void step(const AdamStep& by) = 0;
};

// One planned network on one device. Not thread-safe: one call at a time.
class Executor {
 public:
  virtual ~Executor() = default;
  // Weight w of the plan: float32, row-major, rows already in the order of Weight::rows. Once a weight, before prepare;
  // after it all weights again, then prepare again.
  virtual void set_weight(WeightId w, std::span<const float> data) = 0;
  // All weights are set: the batch that suits the device, where the choice is left to it.
  virtual std::int64_t preferred_batch() { return kCpuBatch; }
  // All weights are set: pack, allocate the arena for max_batch. After it, no allocation in run.
  virtual void prepare(std::int64_t max_batch) = 0;
  // image: n x [R, R, C] NHWC, scaled; noise_label [n]; label: n x [label_dim]. output: n x [R, R, Cout] NHWC.
  virtual void run(std::int64_t n, const float* image, const float* noise_label, const float* label, float* output) = 0;
  // The same in float64; devices that compute in float32 convert.
  virtual void run(std::int64_t n, const double* image, const double* noise_label, const double* label, double* output) = 0;
  // D of n images [C, R, R] that lie in the device's own memory, to `out` there, which may be x; everything else lies on the host. Waits
  // until out is there. A device whose memory is the host's has none of its own and throws.
  virtual void run_resident(std::int64_t n, const float* x, const Preconditioned& by, const float* label, float* out);
  virtual bool has_memory() const { return false; }
  // Forwards, then backwards, for a plan that goes there (unet/backward.hpp): gradient, n x [R, R, C], of sum(cotangent * output) by the image;
  // may be null. Gradients of weights are added to what is there, where the plan has them.
  virtual void run_backward(std::int64_t n, const float* image, const float* noise_label, const float* label, const TrainingRows<float>& training,
                            const Cotangent<float>& cotangent, float* gradient) = 0;
  virtual void run_backward(std::int64_t n, const double* image, const double* noise_label, const double* label,
                            const TrainingRows<double>& training, const Cotangent<double>& cotangent, double* gradient) = 0;
  // Sets the gradients of all weights to zero, as they are after prepare.
  virtual void clear_gradients() = 0;
  // Writes the gradient of weight w, in the form of set_weight; zeros for one that no op learns. Several threads may ask at once.
  virtual void gradient(WeightId w, std::span<double> values) const = 0;
  // The device's own way to train, for a plan that learns; null where the host keeps the state.
  virtual Learner* learner() { return nullptr; }
  // The device's own way to run rows of votes, after prepare; null where the host makes and judges them.
  virtual RowEngine* rows() { return nullptr; }
  virtual std::int64_t weight_bytes() const = 0;
  virtual std::int64_t arena_bytes() const = 0;
  // What the last run's ops took by the device's own clock, transfers left out; 0 where there is none.
  virtual double device_milliseconds() const { return 0; }
};

// native/reference
std::unique_ptr<Executor> make_reference_executor(const Plan& plan);
// native/cpu; threads <= 0 = one a core; isa "" = best, or "portable", "avx2", "avx512" (throws if the machine lacks it).
std::unique_ptr<Executor> make_cpu_executor(const Plan& plan, int threads, const std::string& isa);
// cuda-kernels/cuda: "cuda", "cuda:i", or "emulator" (the same kernels on the CPU, for tests). Throws DC_DEVICE_UNAVAILABLE with the
// reason when the device or its library is not there. form: "fp32" (and ""), or "bf16": feature maps in memory and
// the products of convolutions in bf16, sums, statistics, tables, the network's input and output in float32.
std::unique_ptr<Executor> make_device_executor(const Plan& plan, const std::string& device, const std::string& form);
// One line about such a device, or about several; throws as above.
std::string describe_device(const std::string& device);
// The devices that a name stands for: itself, or those of "cuda:0,cuda:2", or all of "cuda:all". Several must have one compute capability.
std::vector<std::string> devices_of(const std::string& name);
// Where the library of a kind of device ("cuda", "emulator") lies, for what is opened from now on; DIFFCERT_DEVICE_PATH goes before it.
void name_device_library(const std::string& kind, const std::string& file);
// What of a device can change a vote's bits: "cpu", "reference", "cuda-9.0" (the compute capability chooses the kernels), "emulator".
std::string device_identity(const std::string& name);

}  // namespace diffcert
