// One op of a plan, made ready: its weights packed, its blocks chosen. A step is run once a forward, by all threads together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.hpp"
#include "cpu/kernels.hpp"
#include "ops/ops.hpp"

namespace diffcert::cpu {

// What the steps of one forward share.
struct Frame {
  const Kernels& kernels;
  ThreadPool& pool;
  const std::vector<Buffer>& buffers;
  float* arena = nullptr;
  std::int64_t samples = 0;
  float* scratch = nullptr;        // of thread 0
  std::int64_t scratch_size = 0;   // floats a thread
  float* shared = nullptr;         // one for all threads

  float* at(BufferId buffer, std::int64_t sample) const {
    const Buffer& b = buffers[static_cast<std::size_t>(buffer)];
    return arena + b.offset * samples + sample * b.elements;
  }
  float* of_thread(int thread) const { return scratch + thread * scratch_size; }
};

class Step {
 public:
  virtual ~Step() = default;
  virtual std::int64_t weight_floats() const { return 0; }
  virtual std::int64_t scratch_floats() const { return 0; }                        // a thread
  virtual std::int64_t shared_floats(std::int64_t /*max_batch*/) const { return 0; }
  virtual void run(const Frame& frame) const = 0;
  // Steps that learn keep the sum of the gradients of their weight, over the samples of all runs since it was cleared.
  virtual void clear_gradient() {}
  // Adds what the step has of the gradient of weight w, in the plan's layout.
  virtual void add_gradient(WeightId /*w*/, std::span<double> /*values*/) const {}
};

// Gives a weight's values, in the plan's layout; the step packs what it needs and keeps no pointer.
using WeightSource = std::function<const std::vector<float>&(WeightId)>;

std::unique_ptr<Step> make_conv(const ConvOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_attention(const AttentionOp& op);
std::unique_ptr<Step> make_embed(const EmbedOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_linear(const LinearOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_norm(const NormOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_statistics(const StatsOp& op);
std::unique_ptr<Step> make_resample(const ResampleOp& op);
std::unique_ptr<Step> make_add(const AddOp& op);
std::unique_ptr<Step> make_dropout(const DropoutOp& op);
std::unique_ptr<Step> make_load_sums(const LoadSumsOp& op);
std::unique_ptr<Step> make_norm_backward(const NormBackwardOp& op, const WeightSource& weights);
std::unique_ptr<Step> make_pullback(const PullbackOp& op);
std::unique_ptr<Step> make_attention_backward(const AttentionBackwardOp& op);
std::unique_ptr<Step> make_silu_backward(const SiluBackwardOp& op);
std::unique_ptr<Step> make_channel_sum(const ChannelSumOp& op);
std::unique_ptr<Step> make_conv_gradient(const ConvGradientOp& op);
std::unique_ptr<Step> make_linear_gradient(const LinearGradientOp& op);
std::unique_ptr<Step> make_accumulate(const AccumulateOp& op);

// Statistics of a feature map into [mean | M2]: what ConvOp, StatsOp, ResampleOp and AddOp share.
void run_statistics(const Frame& frame, const Feature& feature, BufferId out);

}  // namespace diffcert::cpu
