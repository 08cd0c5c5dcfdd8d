// The beginning and the end of a row: its input made of a position and keyed noise, its residual made of the network's output. Any architecture, float64.
#pragma once

#include <type_traits>

#include "core/philox.hpp"
#include "kernels/span.hpp"
#include "ops/row.hpp"

namespace diffcert {

// Where x_u = centre + spread e comes from. A block of Philox gives two neighbouring elements, so threads take pairs, in C,H,W order.
struct RowSource {
  Span<const RowLevel> levels;
  Span<const NoiseKey> keys;   // [samples]
  Span<const double> centre;   // [taus][samples][elements]: positions; or [samples][elements]: estimates, where every level's base is 0
  std::int32_t samples, channels, pixels;
};

// Rows of one (level, sample) stand together: x_u is made once for them.
struct RowCell {
  std::int32_t level, sample, first, count;
};

// image = c_in x_u, rounded once, for each row of a cell. One thread a pair of elements, blockIdx.y a cell.
// Bytes an element: 8 read, 4 a row written; some 90 operations in float64, so 10 FLOP/B with one row a cell and 2 with ten: bound by memory on a GPU with
// full float64, by arithmetic elsewhere, and in both cases below 0.01 of a network's time.
struct RowsParams {
  RowSource source;
  Span<const RowCell> cells;
  Span<float> image;  // n x [pixels][channels]
};
inline constexpr int kRowsThreads = 128;

// residual[place of row][tau] = mean over the elements of |m_q - m_p|^2 for every tau up to the level's base (mix), or of |D - target|^2. A block a row: thread t
// sums pairs t, t + kResidualThreads, ... ascending, then threads i and i + 128, i + 64, ..., i + 1 are added. e is drawn again from its key.
// Bytes an element: 4 + 8 + 8 a tau; some 110 operations in float64: 5.5 FLOP/B.
struct ResidualParams {
  RowSource source;
  Span<const Row> rows;
  Span<const PosteriorMix> mix;  // [levels][taus] or absent
  Span<const double> target;     // [taus][samples][targets][elements]
  Span<const float> network;     // F, n x [pixels][out_channels]
  Span<double> residual;         // [places][taus]
  std::int32_t out_channels, taus, targets;  // targets: 1, or one a class
  bool clamp;
  // A multi-head network: which F a row reads, at the channels of its label's head. Absent: row r reads the r-th, from channel 0.
  Span<const std::int32_t> bodies = {};
};
inline constexpr int kResidualThreads = 256, kResidualTaus = 4;  // so many taus a pass over the elements
inline constexpr int kResidualShared = kResidualTaus * kResidualThreads * 8;

static_assert(std::is_trivially_copyable_v<RowLevel> && std::is_trivially_copyable_v<Row> && std::is_trivially_copyable_v<NoiseKey>);
static_assert((kResidualThreads & (kResidualThreads - 1)) == 0, "the threads' sums are added in halves");
static_assert(kResidualShared <= 48 << 10, "what a block has without asking");

}  // namespace diffcert
