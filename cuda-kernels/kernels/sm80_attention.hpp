// Attention on tensor cores (ldmatrix, mma.sync, cp.async; sm_80 and later): grids and shared memory. Takes AttentionParams with bf16 features.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/smxx_attention.hpp"

namespace diffcert {

// A block takes 64 queries of one head, 16 a warp, and walks the keys in tiles of `keys`. The kernel for heads of up to 64, 128 or 256 channels
// (a multiple of 8) is the head's alone to choose, so the order of sums is the shape's.
inline constexpr int kFlashQueries = 64, kFlashThreads = 128, kFlashMost = 256;
// Places within a sample's q, k, v are 32-bit.
DC_BOTH constexpr bool flash_takes(std::int64_t tokens, int channels, int heads) {
  return channels / heads % 8 == 0 && channels / heads <= kFlashMost && 3 * tokens * channels <= 0x7fffffff;
}
DC_BOTH constexpr int flash_depth(int channels) { return channels <= 64 ? 64 : channels <= 128 ? 128 : 256; }
DC_BOTH constexpr int flash_keys(int depth) { return depth == 64 ? 64 : 32; }
// Shared rows are padded so that the eight rows of an ldmatrix lie in different banks.
DC_BOTH constexpr int flash_stride(int depth) { return depth + 8; }
DC_BOTH constexpr int flash_shared(int depth) { return 2 * (kFlashQueries + 2 * flash_keys(depth)) * flash_stride(depth); }

}  // namespace diffcert
