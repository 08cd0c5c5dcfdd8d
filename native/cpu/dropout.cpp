// Dropout of features: a load, and some of its elements set to zero. The Philox rounds of several blocks run side by side.
#include <algorithm>

#include "cpu/step.hpp"
#include "ops/dropout.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kBlocks = 16, kDraws = kBlocks * kDropoutBlock;

// The draws of blocks [first, first + kBlocks) of a layer; the arithmetic of philox(), a lane a block.
void draw(const NoiseKey& key, std::int32_t layer, std::uint32_t first, std::uint16_t* out) {
  std::uint32_t word[4][kBlocks];
  const PhiloxBlock counter = dropout_counter(key, layer, first);
  for (std::uint32_t lane = 0; lane < kBlocks; ++lane) {
    for (int w = 0; w < 4; ++w) word[w][lane] = counter.word[w] + (w == 0 ? lane : 0);
  }
  auto k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    for (std::int64_t lane = 0; lane < kBlocks; ++lane) {
      const std::uint64_t p0 = 0xD2511F53ull * word[0][lane], p1 = 0xCD9E8D57ull * word[2][lane];
      word[0][lane] = static_cast<std::uint32_t>(p1 >> 32) ^ word[1][lane] ^ k0;
      word[1][lane] = static_cast<std::uint32_t>(p1);
      word[2][lane] = static_cast<std::uint32_t>(p0 >> 32) ^ word[3][lane] ^ k1;
      word[3][lane] = static_cast<std::uint32_t>(p0);
    }
  }
  for (std::int64_t lane = 0; lane < kBlocks; ++lane) {
    for (int w = 0; w < 4; ++w) {
      out[lane * kDropoutBlock + 2 * w] = static_cast<std::uint16_t>(word[w][lane]);
      out[lane * kDropoutBlock + 2 * w + 1] = static_cast<std::uint16_t>(word[w][lane] >> 16);
    }
  }
}

class Dropout final : public Step {
 public:
  explicit Dropout(const DropoutOp& op) : op_(op) {}

  void run(const Frame& frame) const override {
    const std::int64_t height = op_.in.height, width = op_.in.width, channels = op_.in.channels, line = width * channels;
    frame.pool.parallel_for(frame.samples * height, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::int64_t sample = i / height, y = i % height;
        const float* a = op_.load.affine == kNone ? nullptr : frame.at(op_.load.affine, sample);
        float* out = frame.at(op_.out.buffer, sample);
        frame.kernels.activate(width, channels, frame.at(op_.in.buffer, sample) + y * line, channels, out + y * line, channels, a,
                               a ? a + channels : nullptr, op_.load.silu);
        drop(key_of_chance(frame.at(op_.chance, sample)), y * line, (y + 1) * line, out);
      }
    });
  }

 private:
  // Elements [from, to) of the sample at out.
  void drop(const NoiseKey& key, std::int64_t from, std::int64_t to, float* out) const {
    const float scale = dropout_scale(op_.rate);
    std::uint16_t draws[kDraws];
    while (from < to) {
      const std::int64_t first = from / kDropoutBlock * kDropoutBlock, end = std::min(to, first + kDraws);
      draw(key, op_.layer, static_cast<std::uint32_t>(first / kDropoutBlock), draws);
      for (; from < end; ++from) out[from] = draws[from - first] < op_.rate ? 0.0f : scale * out[from];
    }
  }

  DropoutOp op_;
};

}  // namespace

std::unique_ptr<Step> make_dropout(const DropoutOp& op) { return std::make_unique<Dropout>(op); }

}  // namespace diffcert::cpu
