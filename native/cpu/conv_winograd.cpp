// The fused convolution as Winograd F(4x4,3x3).
//
// Work is cut into items of whole tile rows, some 64 tiles each (one 32x32 image, four of 16x16): the item's pixels are staged
// 64 channels at a time (norm and SiLU once an element), transformed into 36 matrices [tiles x Cin], multiplied by the 36 packed
// weight matrices, transformed back, finished and stored. 64 tiles keep one product's a, b and c (64 + 256 + 64 KB at 256
// channels) in the second-level cache and read the weights, 36/9 of their published size, once per 64 tiles: 9.4 MB against 302
// MFLOP. A layer of so few tiles that the weights' way from memory would rule (8x8 maps, small batches) is one item for all
// threads: they share the pixels, then the 36 products, so that each weight is read once, then the outputs. The items depend on
// batch and threads; the bits do not, because a tile's arithmetic is its own.
#include <algorithm>

#include "cpu/conv.hpp"
#include "cpu/pack.hpp"

namespace diffcert::cpu {
namespace {

constexpr std::int64_t kTiles = 64;     // an item's tiles, about
constexpr std::int64_t kTogether = 64;  // tiles up to which the threads share one item
constexpr std::int64_t kBlock = 64;     // channels staged at a time
constexpr std::int64_t kApart = 16;     // floats between the 36 planes, so that they do not fall on one cache set

// U = G g G^T in double, rounded once.
void transform_weight(const float (&g)[9], float (&u)[kWinograd]) {
  static constexpr double kG[6][3] = {{1.0 / 4, 0, 0},           {-1.0 / 6, -1.0 / 6, -1.0 / 6}, {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                      {1.0 / 24, 1.0 / 12, 1.0 / 6}, {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}};
  for (int i = 0; i < 6; ++i) {
    double half[3];
    for (int x = 0; x < 3; ++x) half[x] = kG[i][0] * g[x] + kG[i][1] * g[3 + x] + kG[i][2] * g[6 + x];
    for (int j = 0; j < 6; ++j) {
      u[i * 6 + j] = static_cast<float>(kG[j][0] * half[0] + kG[j][1] * half[1] + kG[j][2] * half[2]);
    }
  }
}

class WinogradConv final : public ConvStep {
 public:
  WinogradConv(const ConvOp& op, const WeightSource& weights)
      : ConvStep(op, weights),
        tile_rows_((height_ + 3) / 4),
        tile_columns_((width_ + 3) / 4),
        product_(packed_size(channels_, out_channels_)),
        weights_(kWinograd * product_) {
    const auto& values = weights(op.weight);
    float g[9], u[kWinograd];
    for (std::int64_t n = 0; n < out_channels_; ++n) {
      for (std::int64_t k = 0; k < channels_; ++k) {
        for (int t = 0; t < 9; ++t) g[t] = tap(values, n, k, t / 3, t % 3);
        transform_weight(g, u);
        const std::int64_t at = (n / kLanes * channels_ + k) * kLanes + n % kLanes;
        for (int f = 0; f < kWinograd; ++f) weights_[f * product_ + at] = u[f];
      }
    }
    most_rows_ = std::max<std::int64_t>(1, kTiles / tile_columns_);
    for (int source = 0; source < 2; ++source) {
      for (std::int64_t c = 0; c < source_channels(source); c += kBlock) {
        blocks_.push_back({source, c, std::min(kBlock, source_channels(source) - c), source == 0 ? c : source_channels(0) + c});
      }
    }
  }

  std::int64_t weight_floats() const override { return ConvStep::weight_floats() + weights_.size(); }
  std::int64_t scratch_floats() const override { return layout().end; }
  std::int64_t shared_floats(std::int64_t /*max_batch*/) const override { return layout().staged; }

  void run(const Frame& frame) const override {
    const std::int64_t rows = frame.samples * tile_rows_;
    if (rows * tile_columns_ <= kTogether && frame.pool.threads() > 1) {
      run_together(frame, rows);
    } else {
      run_apart(frame, rows);
    }
    if (op_.stats != kNone) run_statistics(frame, op_.out, op_.stats);
  }

 private:
  struct Block {  // channels staged at a time
    int source;
    std::int64_t first, count;  // in the source
    std::int64_t place;         // in the concatenation
  };

  // Places in a thread's scratch, in floats; inputs and products come first, so that a shared item has only them.
  struct Layout {
    std::int64_t inputs, products, staged, spare, bias, end;
  };

  // The 36 matrices of an item: tiles [0, tiles) of the rows from `row` on.
  struct Item {
    std::int64_t row, tiles;
    float *inputs, *products;
    std::int64_t in_plane, out_plane;
  };

  Layout layout() const {
    const std::int64_t tiles = std::max(most_rows_ * tile_columns_, kTogether), wide = 4 * tile_columns_ + 2;
    const std::int64_t deep = std::min(most_rows_, tile_rows_);
    Layout l{};
    l.inputs = 0;
    l.products = l.inputs + kWinograd * (tiles * channels_ + kApart);
    l.staged = l.products + kWinograd * (tiles * out_channels_ + kApart);
    l.spare = l.staged + (4 * deep + 2) * wide * kBlock;
    l.bias = l.spare + std::max(4 * width_ * kBlock, prior_floats(4 * deep));
    l.end = l.bias + (out_channels_ + kApart) / kApart * kApart;
    return l;
  }

  Item item(std::int64_t from, std::int64_t to, float* memory) const {
    const std::int64_t tiles = (to - from) * tile_columns_;
    return {from,
            tiles,
            memory + layout().inputs,
            memory + layout().products,
            tiles * channels_ + kApart,
            tiles * out_channels_ + kApart};
  }

  void run_apart(const Frame& frame, std::int64_t rows) const {
    const std::int64_t threads = frame.pool.threads();
    const std::int64_t rounds = (rows + most_rows_ * threads - 1) / (most_rows_ * threads);
    const std::int64_t items = std::min(rows, rounds * threads);
    frame.pool.parallel_for(items, [&](std::int64_t first, std::int64_t last, int thread) {
      float* scratch = frame.of_thread(thread);
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t from = rows * i / items, to = rows * (i + 1) / items;
        const Item whole = item(from, to, scratch);
        for (const Block& block : blocks_) load(frame, whole, block, from, to, scratch);
        for (int f = 0; f < kWinograd; ++f) multiply(frame, whole, f);
        write(frame, whole, from, to, scratch);
      }
    });
  }

  void run_together(const Frame& frame, std::int64_t rows) const {
    const Item whole = item(0, rows, frame.shared);
    const auto blocks = static_cast<std::int64_t>(blocks_.size());
    frame.pool.parallel_for(frame.samples * blocks, [&](std::int64_t first, std::int64_t last, int thread) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t from = i / blocks * tile_rows_;
        load(frame, whole, blocks_[static_cast<std::size_t>(i % blocks)], from, from + tile_rows_, frame.of_thread(thread));
      }
    });
    frame.pool.parallel_for(kWinograd, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t f = first; f < last; ++f) multiply(frame, whole, f);
    });
    frame.pool.parallel_for(rows, [&](std::int64_t first, std::int64_t last, int thread) {
      write(frame, whole, first, last, frame.of_thread(thread));
    });
  }

  // body(sample, first tile row, last tile row) for the samples that the rows [from, to) touch.
  template <class Body>
  void for_samples(std::int64_t from, std::int64_t to, Body&& body) const {
    while (from < to) {
      const std::int64_t sample = from / tile_rows_, last = std::min(to, (sample + 1) * tile_rows_);
      body(sample, from - sample * tile_rows_, last - sample * tile_rows_);
      from = last;
    }
  }

  // One block's channels of rows [from, to): staged, then transformed.
  void load(const Frame& frame, const Item& whole, const Block& block, std::int64_t from, std::int64_t to, float* scratch) const {
    const Layout l = layout();
    float* staged = scratch + l.staged;
    const std::int64_t wide = 4 * tile_columns_ + 2;
    float* place = whole.inputs + (from - whole.row) * tile_columns_ * channels_ + block.place;
    for_samples(from, to, [&](std::int64_t sample, std::int64_t first, std::int64_t last) {
      stage(frame.kernels, source(frame, block.source, block.first, sample), block.count, 4 * first - 1, 4 * (last - first) + 2,
            -1, wide, staged, block.count, scratch + l.spare);
      for (std::int64_t y = 0; y < last - first; ++y) {
        for (std::int64_t x = 0; x < tile_columns_; ++x, place += channels_) {
          frame.kernels.winograd_input(block.count, staged + (4 * y * wide + 4 * x) * block.count, wide * block.count, block.count,
                                       place, whole.in_plane);
        }
      }
    });
  }

  void multiply(const Frame& frame, const Item& whole, std::int64_t f) const {
    frame.kernels.gemm(whole.tiles, out_channels_, channels_, whole.inputs + f * whole.in_plane, channels_,
                       weights_.data() + f * product_, whole.products + f * whole.out_plane, out_channels_, false);
  }

  void write(const Frame& frame, const Item& whole, std::int64_t from, std::int64_t to, float* scratch) const {
    const Layout l = layout();
    const float* products = whole.products + (from - whole.row) * tile_columns_ * out_channels_;
    for_samples(from, to, [&](std::int64_t sample, std::int64_t first, std::int64_t last) {
      write_prior(frame, sample, 4 * first, std::min(4 * last, height_) - 4 * first, scratch + l.spare);
      float* out = frame.at(op_.out.buffer, sample);
      const Finish all = finish(frame, sample, 0, scratch + l.bias);
      for (std::int64_t y = first; y < last; ++y) {
        for (std::int64_t x = 0; x < tile_columns_; ++x, products += out_channels_) {
          const std::int64_t at = (4 * y * width_ + 4 * x) * out_channels_;
          Finish here = all;
          if (all.residual) here.residual = all.residual + at;
          frame.kernels.winograd_output(out_channels_, products, whole.out_plane, out + at, width_ * out_channels_, out_channels_,
                                        static_cast<int>(std::min<std::int64_t>(4, height_ - 4 * y)),
                                        static_cast<int>(std::min<std::int64_t>(4, width_ - 4 * x)), here);
        }
      }
    });
  }

  std::int64_t tile_rows_, tile_columns_, product_, most_rows_ = 1;
  std::vector<Block> blocks_;
  AlignedBuffer<float> weights_;
};

}  // namespace

bool winograd_serves(const ConvOp& op) {
  const auto even = [](std::int64_t channels) { return channels % kLanes == 0; };
  return op.kernel == 3 && op.padding == 1 && even(op.out.channels) && even(op.src[0].channels) &&
         (!op.src[1].present() || even(op.src[1].channels));
}

std::unique_ptr<Step> make_winograd_conv(const ConvOp& op, const WeightSource& weights) {
  return std::make_unique<WinogradConv>(op, weights);
}

}  // namespace diffcert::cpu
