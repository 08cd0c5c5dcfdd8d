// Attention as two matrix products around a softmax, 64 queries at a time.
//
// Keys (transposed) and values are packed once a head, by one thread each; then every block of queries is an item. A score is a
// sum over channels, an output a sum over keys, both ascending; the softmax's sum is 16 lanes and a fixed tree.
#include <cmath>

#include "core/status.hpp"
#include "cpu/pack.hpp"
#include "cpu/step.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kQueries = 64;

class Attention final : public Step {
 public:
  explicit Attention(const AttentionOp& op)
      : op_(op),
        pixels_(static_cast<std::int64_t>(op.in.height) * op.in.width),
        channels_(op.in.channels / 3),
        width_(channels_ / op.heads),
        scale_(static_cast<float>(1.0 / std::sqrt(static_cast<double>(width_)))) {
    invariant(op.in.channels % 3 == 0 && channels_ % op.heads == 0, "attention channels do not divide by their heads");
  }

  std::int64_t scratch_floats() const override { return (kQueries * pixels_ + 15) / 16 * 16; }
  std::int64_t shared_floats(std::int64_t max_batch) const override { return max_batch * op_.heads * head_floats(); }

  void run(const Frame& frame) const override {
    frame.pool.parallel_for(frame.samples * op_.heads, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        const float* in = head(frame, i);
        float* keys = frame.shared + i * head_floats();
        const std::int64_t stride = op_.in.channels;
        pack(width_, pixels_, keys, [&](std::int64_t k, std::int64_t n) { return in[n * stride + channels_ + k]; });
        pack(pixels_, width_, keys + keys_floats(),
             [&](std::int64_t k, std::int64_t n) { return in[k * stride + 2 * channels_ + n]; });
      }
    });
    const std::int64_t blocks = (pixels_ + kQueries - 1) / kQueries;
    frame.pool.parallel_for(frame.samples * op_.heads * blocks, [&](std::int64_t from, std::int64_t to, int thread) {
      for (std::int64_t i = from; i < to; ++i) run_block(frame, i / blocks, i % blocks * kQueries, frame.of_thread(thread));
    });
  }

 private:
  std::int64_t keys_floats() const { return packed_size(width_, pixels_); }
  std::int64_t head_floats() const { return keys_floats() + packed_size(pixels_, width_); }
  const float* head(const Frame& frame, std::int64_t i) const {
    return frame.at(op_.in.buffer, i / op_.heads) + i % op_.heads * width_;
  }

  void run_block(const Frame& frame, std::int64_t i, std::int64_t query, float* scores) const {
    const std::int64_t count = std::min(kQueries, pixels_ - query);
    const float* keys = frame.shared + i * head_floats();
    frame.kernels.gemm(count, pixels_, width_, head(frame, i) + query * op_.in.channels, op_.in.channels, keys, scores, pixels_,
                       false);
    for (std::int64_t q = 0; q < count; ++q) frame.kernels.softmax(pixels_, scores + q * pixels_, scale_);
    float* out = frame.at(op_.out.buffer, i / op_.heads) + query * channels_ + i % op_.heads * width_;
    frame.kernels.gemm(count, width_, pixels_, scores, pixels_, keys + keys_floats(), out, channels_, false);
  }

  AttentionOp op_;
  std::int64_t pixels_, channels_, width_;
  float scale_;
};

}  // namespace

std::unique_ptr<Step> make_attention(const AttentionOp& op) { return std::make_unique<Attention>(op); }

}  // namespace diffcert::cpu
