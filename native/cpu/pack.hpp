// Packs matrices into the panels that Kernels::gemm reads: [panels(columns)][depth][16], zero beyond the last column.
#pragma once

#include <cstdint>

#include "core/arena.hpp"
#include "cpu/kernels.hpp"

namespace diffcert::cpu {

inline std::int64_t packed_size(std::int64_t depth, std::int64_t columns) { return panels(columns) * depth * kLanes; }

// value(k, n) is asked for each element once.
template <class Value>
void pack(std::int64_t depth, std::int64_t columns, float* packed, Value&& value) {
  for (std::int64_t p = 0; p < panels(columns); ++p) {
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const std::int64_t n = p * kLanes + lane;
        packed[(p * depth + k) * kLanes + lane] = n < columns ? value(k, n) : 0.0f;
      }
    }
  }
}

}  // namespace diffcert::cpu
