// Attention backwards on tensor cores (sm_80 and later): grids and shared memory. Takes AttentionBackwardParams with bf16 features.
#pragma once

#include "kernels/sm80_attention.hpp"
#include "kernels/smxx_attention_backward.hpp"

namespace diffcert {

// A block owns 64 queries or keys of one head, 16 a warp (kFlashQueries, kFlashThreads). The kernels of a head are chosen by its channels alone:
//   tensor_attention_queries_*  level and D of each query, then dQ; keys and values pass by in tiles of flash_keys
//   tensor_attention_keys_*     dK, and up to 128 channels dV with it; queries and what comes back pass by in tiles of kFlashBackTile
//   tensor_attention_values_256 dV of wider heads
inline constexpr int kFlashBackTile = 32;
// Beside what it owns (own rows of each kind), a block holds a tile of two kinds.
DC_BOTH constexpr int flash_back_shared(int depth, int own, int tile) { return 2 * (own * kFlashQueries + 2 * tile) * flash_stride(depth); }
DC_BOTH constexpr int flash_queries_shared(int depth) { return flash_back_shared(depth, 2, flash_keys(depth)); }
DC_BOTH constexpr int flash_keys_shared(int depth) { return flash_back_shared(depth, 2, kFlashBackTile); }
DC_BOTH constexpr int flash_values_shared(int depth) { return flash_back_shared(depth, 1, kFlashBackTile); }
// sm_86, 89 and 120 give a block 99 KB, and that is what the widest heads take.
static_assert(flash_queries_shared(kFlashMost) <= 99 << 10 && flash_keys_shared(kFlashMost) <= 99 << 10);

}  // namespace diffcert
