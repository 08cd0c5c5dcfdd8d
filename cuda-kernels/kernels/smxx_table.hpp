// What rows take from a table of (noise level, class): parameters and grid. Any architecture, float32, a copy.
#pragma once

#include "kernels/span.hpp"

namespace diffcert {

// A table is made of pages; a page is an arena of `count` entries, in which buffer b of entry i lies at first + b.offset * count + i * b.elements.
struct TablePlace {
  std::int64_t first;
  std::int32_t count, entry;
};
struct TablePart {
  Span<float> to;       // n x [elements]
  std::int64_t offset;  // of the buffer in an entry
  std::int32_t elements;
};

// to[row] = the part of places[row]. A block a (part, row).
// No arithmetic: 33.8 KB a row of the published CIFAR-10 network, 143 KB of the ImageNet one, against some 10 MB that the network itself moves.
struct GatherParams {
  Span<const float> table;
  Span<const TablePlace> places;  // [n]
  Span<const TablePart> parts;
};
inline constexpr int kGatherThreads = 128;

}  // namespace diffcert
