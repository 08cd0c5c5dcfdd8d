// Training: a loss over noised images, Adam, and the running average of the weights that is the finished model.
//
// One step is a pure function of (weights, moments, average, images and steps so far, seed, images, labels): its noise levels, noise and dropped labels are
// keyed by the number of the image in training, its sums run over rows ascending. So a state that was stored and set again goes on to
// the same bits, whatever the batch that fits in memory and the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/thread_pool.hpp"
#include "ops/adam.hpp"
#include "train/loss.hpp"
#include "unet/network.hpp"

namespace diffcert {

struct TrainOptions {
  LossKind loss = LossKind::edm;
  LevelLaw levels = {};
  std::uint64_t seed = 0;
  double learning_rate = 1e-3;
  double warmup_images = 0;    // the rate grows from 0 in so many images
  double decay_images = 0;     // and falls, as half a cosine, to final_rate at so many; 0 = it does not fall
  double final_rate = 0;
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8;
  double average_images = 5e5; // half-life of the average in images
  double average_share = 0.05; // but at most so much of the images seen; 0 = no limit
  double label_dropout = 0;    // probability that an image is shown without its label
  double dropout = 0;          // of features, within each residual block
  bool augment = false;        // images come with augmentation labels
};

// Throws DC_BAD_ARGUMENT with a sentence that names the option.
void validate(const TrainOptions& options);

// Adam's rate when so many images have been seen.
double rate_at(const TrainOptions& options, double images);

class Trainer {
 public:
  // rows: what goes through the network at once. elements: working memory of a row, as Network::differentiate.
  Trainer(const NetworkConfig& config, const std::string& device, int threads, const std::string& isa, const TrainOptions& options,
          std::int64_t rows, std::int64_t elements);

  const Network& network() const { return network_; }
  // Images shown and steps made since the beginning.
  std::int64_t images() const { return images_; }
  std::int64_t steps() const { return steps_; }
  // One step on a batch: images [n, C, R, R] in EDM space, labels [n] in [0, label_dim) or -1; nullptr where the network has none;
  // augment [n, augment_dim], nullptr where images are as they were. Returns the mean over elements of the weighted squares.
  double step(std::int64_t n, const float* images, const std::int32_t* labels, const float* augment = nullptr);

  // One step of distillation, of a multi-head network from a teacher of the same classes and images: the loss of a row is the weighted sum, over `heads` of
  // its heads, of |D_head - D_teacher|^2 at the same noised image (train/distil.hpp). Otherwise as step; the images are only where the noise is put on.
  double distil(Network& teacher, std::int32_t heads, std::int64_t n, const float* images, const std::int32_t* labels);

  // D(x; sigma, label) with the present weights; rows as Network::denoise.
  void denoise(std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, float* denoised);
  // One step of a loss that the caller computes: cotangent, as x, is its gradient by D(x; sigma, label). The n rows are made of `images` images, which
  // is what progress, rates and average count.
  void step(std::int64_t images, std::int64_t n, const double* sigma, const std::int32_t* labels, const float* x, const float* cotangent);

  // The state: tensors in their published order, none for a computed weight; images and steps.
  std::vector<float> tensor(TrainTensor kind, std::string_view name) const;
  void set_tensor(TrainTensor kind, std::string_view name, std::span<const float> values);
  void set_progress(std::int64_t images, std::int64_t steps);

 private:
  struct State {
    std::vector<float> tensor[kTrainTensors];  // by TrainTensor; empty for a computed weight
  };

  // A batch as the network is shown it: levels, weights, labels after dropout, noised images.
  struct Shown {
    std::vector<LossRow> rows;
    std::vector<double> sigma;
    std::vector<std::int32_t> labels;
    std::vector<float> x;
  };
  Shown show(std::int64_t n, const float* images, const std::int32_t* labels) const;
  // The network takes the weights of the last step, its gradients begin at zero.
  void renew();
  void descend(std::int64_t n);

  TrainOptions options_;
  Network network_;
  std::unique_ptr<ThreadPool> pool_;  // shares out rows and weights
  std::vector<State> state_;          // empty where the device keeps it
  std::int64_t images_ = 0, steps_ = 0;
  bool moved_ = false;  // the weights are newer than the network's
};

}  // namespace diffcert
