// The gradient of a 3x3 convolution's weight as Winograd F(4x4,3x3), transposed: a quarter of the direct form's multiplications.
//
// With d a tile's 6 x 6 inputs and y the 4 x 4 gradients of its outputs, dg = Gᵀ [sum over tiles of (Bᵀ d B) (A y Aᵀ)] G. The bracket is 36
// products [Cin x tiles] by [tiles x Cout], each one chain over (sample, tile), ascending, kept in float from call to call; the last
// transform is made when the gradient is read. Samples are taken together until their tiles fill a block of the product's depth, which
// does not show.
#include <algorithm>

#include "core/arena.hpp"
#include "cpu/learning.hpp"
#include "cpu/pack.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kTogether = 256;  // tiles, about: the depth of gemm's blocks
constexpr std::int64_t kBlock = 64;      // channels staged at a time
constexpr std::int64_t kApart = 16;      // floats between the 36 planes, so that they do not fall on one cache set

class WinogradGradient final : public Step {
 public:
  explicit WinogradGradient(const ConvGradientOp& op)
      : op_(op),
        channels_(op.src[0].channels + op.src[1].channels),
        out_channels_(op.gradient.channels),
        tile_rows_((op.gradient.height + 3) / 4),
        tile_columns_((op.gradient.width + 3) / 4),
        wide_(4 * tile_columns_ + 2),
        most_((kTogether + tiles() - 1) / tiles()),
        sums_(kWinograd * channels_ * out_channels_) {
    for (int s = 0; s < 2 && op.src[s].present(); ++s) {
      for (std::int64_t c = 0; c < op.src[s].channels; c += kBlock) {
        blocks_.push_back({s, c, std::min<std::int64_t>(kBlock, op.src[s].channels - c), (s == 0 ? 0 : op.src[0].channels) + c});
      }
    }
  }

  std::int64_t weight_floats() const override { return sums_.size(); }
  std::int64_t scratch_floats() const override { return staged() + 4 * wide_ * kBlock; }
  std::int64_t shared_floats(std::int64_t max_batch) const override {
    const std::int64_t count = std::min(max_batch, most_) * tiles();
    return kWinograd * (in_plane(count) + out_plane(count));
  }

  void run(const Frame& frame) const override {
    for (std::int64_t first = 0; first < frame.samples; first += most_) {
      const std::int64_t samples = std::min(most_, frame.samples - first), count = samples * tiles();
      const auto blocks = static_cast<std::int64_t>(blocks_.size()), items = blocks + panels(out_channels_);
      frame.pool.parallel_for(samples * items, [&](std::int64_t from, std::int64_t to, int thread) {
        for (std::int64_t i = from; i < to; ++i) {
          const std::int64_t sample = i / items, item = i % items;
          if (item < blocks) load(frame, first, sample, blocks_[static_cast<std::size_t>(item)], count, frame.of_thread(thread));
          else bring_back(frame, first, sample, item - blocks, count);
        }
      });
      frame.pool.parallel_for(kWinograd, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t f = from; f < to; ++f) {
          frame.kernels.gemm_turned(channels_, out_channels_, count, frame.shared + f * in_plane(count), channels_,
                                    frame.shared + kWinograd * in_plane(count) + f * out_plane(count),
                                    sums_.data() + f * channels_ * out_channels_, out_channels_, true);
        }
      });
    }
  }

  void clear_gradient() override { std::fill_n(sums_.data(), sums_.size(), 0.0f); }

  void add_gradient(WeightId w, std::span<double> values) const override {
    if (w != op_.weight) return;
    static constexpr double kG[6][3] = {{1.0 / 4, 0, 0},           {-1.0 / 6, -1.0 / 6, -1.0 / 6}, {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                        {1.0 / 24, 1.0 / 12, 1.0 / 6}, {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}};
    for (std::int64_t c = 0; c < channels_; ++c) {
      for (std::int64_t o = 0; o < out_channels_; ++o) {
        double half[3][6] = {};
        for (int i = 0; i < 6; ++i) {
          for (int j = 0; j < 6; ++j) {
            const double sum = static_cast<double>(sums_[((i * 6 + j) * channels_ + c) * out_channels_ + o]);
            for (int y = 0; y < 3; ++y) half[y][j] += kG[i][y] * sum;
          }
        }
        for (int y = 0; y < 3; ++y) {
          for (int x = 0; x < 3; ++x) {
            double sum = 0;
            for (int j = 0; j < 6; ++j) sum += kG[j][x] * half[y][j];
            values[static_cast<std::size_t>((o * channels_ + c) * 9 + y * 3 + x)] += static_cast<double>(op_.scale) * sum;
          }
        }
      }
    }
  }

 private:
  struct Block {  // channels staged at a time
    int source;
    std::int64_t first, count;  // in the source
    std::int64_t place;         // in the concatenation
  };

  std::int64_t tiles() const { return tile_rows_ * tile_columns_; }
  std::int64_t in_plane(std::int64_t count) const { return count * channels_ + kApart; }
  std::int64_t out_plane(std::int64_t count) const { return count * out_channels_ + kApart; }
  std::int64_t staged() const { return (4 * tile_rows_ + 2) * wide_ * kBlock; }

  // The left sides: one block's channels of a sample's tiles.
  void load(const Frame& frame, std::int64_t first, std::int64_t sample, const Block& block, std::int64_t count, float* scratch) const {
    const Feature& feature = op_.src[block.source];
    Source source = source_of(frame, op_, feature, block.place - block.first, first + sample);
    source.data += block.first;
    if (source.a != nullptr) source.a += block.first, source.b += block.first;
    stage(frame.kernels, source, block.count, -1, 4 * tile_rows_ + 2, -1, wide_, scratch, block.count, scratch + staged());
    float* place = frame.shared + sample * tiles() * channels_ + block.place;
    for (std::int64_t y = 0; y < tile_rows_; ++y) {
      for (std::int64_t x = 0; x < tile_columns_; ++x, place += channels_) {
        frame.kernels.winograd_input(block.count, scratch + (4 * y * wide_ + 4 * x) * block.count, wide_ * block.count, block.count, place,
                                     in_plane(count));
      }
    }
  }

  // The right sides, packed: one panel of a sample's tiles.
  void bring_back(const Frame& frame, std::int64_t first, std::int64_t sample, std::int64_t panel, std::int64_t count) const {
    const std::int64_t height = op_.gradient.height, width = op_.gradient.width;
    const float* from = frame.at(op_.gradient.buffer, first + sample) + panel * kLanes;
    float* place = frame.shared + kWinograd * in_plane(count) + (panel * count + sample * tiles()) * kLanes;
    for (std::int64_t y = 0; y < tile_rows_; ++y) {
      for (std::int64_t x = 0; x < tile_columns_; ++x, place += kLanes) {
        frame.kernels.winograd_gradient(from + (4 * y * width + 4 * x) * out_channels_, width * out_channels_, out_channels_,
                                        static_cast<int>(std::min<std::int64_t>(4, height - 4 * y)),
                                        static_cast<int>(std::min<std::int64_t>(4, width - 4 * x)), place, out_plane(count));
      }
    }
  }

  ConvGradientOp op_;
  std::int64_t channels_, out_channels_, tile_rows_, tile_columns_, wide_, most_;
  std::vector<Block> blocks_;
  mutable AlignedBuffer<float> sums_;  // [36][Cin][Cout]; what a run leaves behind
};

}  // namespace

bool winograd_learns(const ConvGradientOp& op) {
  const auto even = [](std::int64_t channels) { return channels % kLanes == 0; };
  return op.kernel == 3 && op.padding == 1 && even(op.gradient.channels) && even(op.src[0].channels) && even(op.src[1].channels);
}

std::unique_ptr<Step> make_winograd_gradient(const ConvGradientOp& op) { return std::make_unique<WinogradGradient>(op); }

}  // namespace diffcert::cpu
