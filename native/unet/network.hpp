// A network with its weights on a device: what the ELBO, the votes and the C ABI run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/arena.hpp"
#include "ops/device.hpp"
#include "unet/config.hpp"
#include "unet/precond.hpp"

namespace diffcert {

// Takes D of one head of a row, [img_channels, R, R], which it may overwrite.
template <class T>
using HeadTaker = std::function<void(std::int64_t row, std::int32_t head, T* denoised)>;

// Rows of a step of training, for a network that was made for it.
struct TrainingImages {
  const float* augment = nullptr;  // [n, augment_dim]; null where they are zeros
  std::uint64_t seed = 0;          // what dropout is drawn from: the seed
  std::int64_t first = 0;          // and the number of row 0 in training
};

// One use at a time. Life: construct, set_weight for every weight, finish, then denoise and network as often as wanted.
class Network {
 public:
  // device: "cpu", "reference", "cuda", "cuda:i".
  Network(const NetworkConfig& config, const std::string& device, int threads, const std::string& isa, const TrainingForm& form = {});

  const NetworkConfig& config() const { return config_; }
  const Precond& precond() const { return precond_; }
  const Plan& plan() const { return plan_; }
  // The tensors that the model file must have, in plan order; computed ones may be absent from it.
  const std::vector<Weight>& weights() const { return plan_.weights; }
  void set_weight(std::string_view name, std::span<const float> data);
  // Before any weight is set: the network can also go backwards, for gradients by the image and, where asked, by the weights. Insides of
  // blocks are recomputed rather than kept where the arena would take more than `elements` numbers a row; 0 keeps all.
  void differentiate(bool parameters, std::int64_t elements);
  bool differentiable() const { return plan_.cotangent.present(); }
  // max_batch 0: what suits the device.
  void finish(std::int64_t max_batch);
  bool finished() const { return max_batch_ > 0; }
  // Training: every weight again, by its number and in its published order, then repack; gradients begin at zero after it.
  void replace_weight(WeightId w, std::span<const float> data);
  void repack() { executor_->prepare(max_batch_); }
  // Or, where the device keeps a training's state itself: its tensors in their published order, and Adam's step there, after which repack, too.
  bool keeps_state() const { return executor_->learner() != nullptr; }
  void set_state(TrainTensor kind, WeightId w, std::span<const float> values);
  std::vector<float> state(TrainTensor kind, WeightId w) const;
  void step(const AdamStep& by) { executor_->learner()->step(by); }
  std::int64_t max_batch() const { return max_batch_; }
  // The device's own way to run rows of votes, once finished; null where the host makes and judges them.
  RowEngine* rows() { return executor_->rows(); }
  std::int64_t weight_bytes() const { return executor_->weight_bytes(); }
  // Of the last batch's ops, by the device's own clock; 0 where it has none.
  double device_milliseconds() const { return executor_->device_milliseconds(); }
  std::int64_t arena_bytes() const { return executor_->arena_bytes() + io_bytes(); }

  // D(x; sigma, label). x, out: [n, img_channels, R, R] in EDM space; sigma [n] > 0 and finite; labels [n] in [0, classes()), or
  // -1 for unconditional, nullptr for all unconditional. n is any number: larger calls than max_batch are split.
  void denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* out);
  void denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, double* out);
  // D of every head of every row, rows and heads ascending: one pass of the network for all classes and for none.
  void each_head(std::int64_t n, const double* sigma, const double* x, const HeadTaker<double>& take);
  // D for images that lie where the device computes, x to out (which may be x): in its own memory, or in the host's for a device that has none.
  void denoise_resident(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* out);
  // F(x; noise_label, label) without preconditioning; out has config().out_channels() channels.
  void network(std::int64_t n, const float* noise_label, const std::int32_t* labels, const float* x, float* out);

  // The vector-Jacobian product: gradient = that of sum(cotangent * D(x; sigma, label)) by x. cotangent, denoised, gradient as x; denoised and
  // gradient may be null. Weights' gradients, where the network was made for them, are added to those of the calls before.
  void vector_jacobian(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const float* cotangent, float* denoised,
                       float* gradient);
  void vector_jacobian(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, const double* cotangent,
                       double* denoised, double* gradient);
  // The same with a cotangent that depends on what was denoised: a loss's. Rows, images as x; asked as ops/device.hpp says.
  void pull(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const Cotangent<float>& cotangent, float* gradient,
            const TrainingImages& training = {});
  void pull(std::int64_t n, const double* sigma, const std::int32_t* labels, const double* x, const Cotangent<double>& cotangent, double* gradient);
  // The same with a cotangent for every head at once: the rows that it is shown and gives are [heads, img_channels, R, R].
  void pull_heads(std::int64_t n, const double* sigma, const float* x, const Cotangent<float>& cotangent, float* gradient,
                  const TrainingImages& training = {});
  void pull_heads(std::int64_t n, const double* sigma, const double* x, const Cotangent<double>& cotangent, double* gradient);
  void clear_gradients();
  // The number of a tensor among weights(); throws DC_BAD_MODEL where there is none.
  WeightId weight(std::string_view name) const;
  // The gradient of weight w of weights(), in the published order.
  std::vector<double> gradient(WeightId w) const;

 private:
  // The batch as the executor takes it (NHWC) and gives it, in one number type; allocated on first use.
  template <class T>
  struct Staging {
    AlignedBuffer<T> image, noise_label, label, output;
    AlignedBuffer<T> denoised, cotangent, gradient;  // for gradients alone
    AlignedBuffer<T> augment, chance;                // for training alone
    std::int64_t bytes() const {
      return image.bytes() + noise_label.bytes() + label.bytes() + output.bytes() + denoised.bytes() + cotangent.bytes() + gradient.bytes() +
             augment.bytes() + chance.bytes();
    }
  };
  // Some rows of a call.
  template <class T>
  struct Rows {
    std::int64_t count;
    const double* sigma;
    const std::int32_t* labels;
    const T* x;
  };
  template <class T>
  Staging<T>& staging();
  // body(rows, the place of the first in an array of images) for batches of the call, staged.
  template <class T, class Body>
  void for_batches(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, Body&& body);
  // Row i's D from one head of the network's output; a row of labels has one head, that of its label.
  template <class T>
  void mix(const Rows<T>& rows, std::int64_t i, std::int32_t head, const T* network, T* out) const;
  template <class T>
  std::int32_t head_of(const Rows<T>& rows, std::int64_t i) const {
    return config_.head_of(rows.labels == nullptr ? -1 : rows.labels[i]);
  }
  template <class T>
  void denoise_all(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, T* out);
  // every: cotangents for all heads, else for that of the row's label.
  template <class T>
  void pull_all(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, bool every, const TrainingImages& training,
                const Cotangent<T>& cotangent, T* gradient);
  // What the plan asks of `count` rows from number `from` of a call on.
  template <class T>
  TrainingRows<T> fill_training(const TrainingImages& training, std::int64_t from, std::int64_t count);
  template <class T>
  void product(std::int64_t n, const double* sigma, const std::int32_t* labels, const T* x, const T* cotangent, T* denoised, T* gradient);
  template <class T>
  void fill_labels(Staging<T>& io, std::int64_t n, const std::int32_t* labels);
  std::int64_t io_bytes() const { return single_.bytes() + double_.bytes(); }

  NetworkConfig config_;
  Precond precond_;
  std::string device_, isa_;
  int threads_;
  Plan plan_;
  std::unique_ptr<Executor> executor_;
  std::unordered_map<std::string_view, WeightId> by_name_;
  std::vector<bool> set_;
  std::int64_t max_batch_ = 0;
  Staging<float> single_;
  Staging<double> double_;
};

}  // namespace diffcert
