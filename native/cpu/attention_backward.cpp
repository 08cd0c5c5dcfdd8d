// Attention backwards, a sample after the other, its heads and blocks of 64 shared out. With P the softmax's weights and dS what comes back
// to the scores: first blocks of queries, which give dQ = dS K and leave P and dS transposed; then blocks of keys, dV = Pᵀ dO and
// dK = dSᵀ Q. Every product is one chain, ascending; the sum in the softmax is 16 lanes and a fixed tree.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/status.hpp"
#include "cpu/pack.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kBlock = 64;

class AttentionBackward final : public Step {
 public:
  explicit AttentionBackward(const AttentionBackwardOp& op)
      : op_(op),
        tokens_(static_cast<std::int64_t>(op.in.height) * op.in.width),
        channels_(op.gradient.channels),
        width_(channels_ / op.heads),
        blocks_((tokens_ + kBlock - 1) / kBlock),
        scale_(static_cast<float>(1.0 / std::sqrt(static_cast<double>(width_)))) {
    invariant(op.in.channels == 3 * channels_ && channels_ % op.heads == 0, "attention channels do not divide by their heads");
  }

  std::int64_t scratch_floats() const override { return 2 * kBlock * tokens_; }
  std::int64_t shared_floats(std::int64_t /*max_batch*/) const override { return op_.heads * layout().end; }

  void run(const Frame& frame) const override {
    for (std::int64_t sample = 0; sample < frame.samples; ++sample) {
      frame.pool.parallel_for(op_.heads * kPacked, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t i = from; i < to; ++i) pack_part(frame, sample, i / kPacked, i % kPacked);
      });
      frame.pool.parallel_for(op_.heads * blocks_, [&](std::int64_t from, std::int64_t to, int thread) {
        for (std::int64_t i = from; i < to; ++i) run_queries(frame, sample, i / blocks_, i % blocks_ * kBlock, frame.of_thread(thread));
      });
      frame.pool.parallel_for(op_.heads * blocks_, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t i = from; i < to; ++i) run_keys(frame, sample, i / blocks_, i % blocks_ * kBlock);
      });
    }
  }

 private:
  static constexpr std::int64_t kPacked = 5;

  // A head's part of the shared memory: five packed matrices, then P and dS, keys by queries.
  struct Layout {
    std::int64_t packed[kPacked], weights, scores, end;
  };

  Layout layout() const {
    const std::int64_t across = packed_size(width_, tokens_), down = packed_size(tokens_, width_);
    Layout l{};
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < kPacked; ++i) l.packed[i] = std::exchange(at, at + (i < 2 ? across : down));
    l.weights = at;
    l.scores = l.weights + tokens_ * tokens_;
    l.end = l.scores + tokens_ * tokens_;
    return l;
  }

  float* shared(const Frame& frame, std::int64_t head) const { return frame.shared + head * layout().end; }
  // q, k or v of a head.
  const float* part(const Frame& frame, std::int64_t sample, std::int64_t head, std::int64_t j) const {
    return frame.at(op_.in.buffer, sample) + j * channels_ + head * width_;
  }
  const float* gradient(const Frame& frame, std::int64_t sample, std::int64_t head) const {
    return frame.at(op_.gradient.buffer, sample) + head * width_;
  }

  // Kᵀ, Vᵀ, K, dO, Q.
  void pack_part(const Frame& frame, std::int64_t sample, std::int64_t head, std::int64_t i) const {
    const std::int64_t stride = i == 3 ? channels_ : 3 * channels_;
    const float* in = i == 3 ? gradient(frame, sample, head) : part(frame, sample, head, i == 4 ? 0 : i == 1 ? 2 : 1);
    float* place = shared(frame, head) + layout().packed[i];
    if (i < 2) {
      pack(width_, tokens_, place, [&](std::int64_t k, std::int64_t n) { return in[n * stride + k]; });
    } else {
      pack(tokens_, width_, place, [&](std::int64_t k, std::int64_t n) { return in[k * stride + n]; });
    }
  }

  void run_queries(const Frame& frame, std::int64_t sample, std::int64_t head, std::int64_t query, float* weights) const {
    const Layout l = layout();
    const std::int64_t count = std::min(kBlock, tokens_ - query), stride = 3 * channels_;
    float* memory = shared(frame, head);
    float* scores = weights + kBlock * tokens_;
    frame.kernels.gemm(count, tokens_, width_, part(frame, sample, head, 0) + query * stride, stride, memory + l.packed[0], weights, tokens_, false);
    frame.kernels.gemm(count, tokens_, width_, gradient(frame, sample, head) + query * channels_, channels_, memory + l.packed[1], scores, tokens_,
                       false);
    for (std::int64_t q = 0; q < count; ++q) {
      frame.kernels.softmax(tokens_, weights + q * tokens_, scale_);
      frame.kernels.softmax_backward(tokens_, weights + q * tokens_, scores + q * tokens_, scale_);
    }
    frame.kernels.gemm(count, width_, tokens_, scores, tokens_, memory + l.packed[2],
                       frame.at(op_.out.buffer, sample) + query * stride + head * width_, stride, false);
    for (std::int64_t key = 0; key < tokens_; ++key) {
      for (std::int64_t q = 0; q < count; ++q) {
        memory[l.weights + key * tokens_ + query + q] = weights[q * tokens_ + key];
        memory[l.scores + key * tokens_ + query + q] = scores[q * tokens_ + key];
      }
    }
  }

  void run_keys(const Frame& frame, std::int64_t sample, std::int64_t head, std::int64_t key) const {
    const Layout l = layout();
    const std::int64_t count = std::min(kBlock, tokens_ - key), stride = 3 * channels_;
    const float* memory = shared(frame, head);
    float* out = frame.at(op_.out.buffer, sample) + key * stride + head * width_;
    frame.kernels.gemm(count, width_, tokens_, memory + l.scores + key * tokens_, tokens_, memory + l.packed[4], out + channels_, stride, false);
    frame.kernels.gemm(count, width_, tokens_, memory + l.weights + key * tokens_, tokens_, memory + l.packed[3], out + 2 * channels_, stride,
                       false);
  }

  AttentionBackwardOp op_;
  std::int64_t tokens_, channels_, width_, blocks_;
  float scale_;
};

}  // namespace

std::unique_ptr<Step> make_attention_backward(const AttentionBackwardOp& op) { return std::make_unique<AttentionBackward>(op); }

}  // namespace diffcert::cpu
