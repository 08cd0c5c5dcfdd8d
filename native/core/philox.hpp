// Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011) and the counters of docs/spec/noise.md: every random number is a
// pure function of keys. Plain numbers only, so that the same source compiles for the host and for a GPU.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define DIFFCERT_BOTH __host__ __device__ __forceinline__
#else
#define DIFFCERT_BOTH inline
#endif

namespace diffcert {

struct PhiloxBlock {
  std::uint32_t word[4];
};

// One block: a bijection of the counter under the key (low half of the key first).
DIFFCERT_BOTH PhiloxBlock philox(PhiloxBlock counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * counter.word[0];
    const std::uint64_t p1 = 0xCD9E8D57ull * counter.word[2];
    counter = {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.word[1] ^ k0, static_cast<std::uint32_t>(p1),
                static_cast<std::uint32_t>(p0 >> 32) ^ counter.word[3] ^ k1, static_cast<std::uint32_t>(p0)}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

// What a draw is for; the numbers are frozen (org.diffcert.noise.NoiseStream; 3 is Java's alone).
enum class NoiseStream : std::uint32_t { smoothing = 0, level = 1, path = 2, training = 4 };

inline constexpr std::uint32_t kMaxNoiseIndex = 0xffff;

struct UniformPair {
  std::uint64_t value[2];
  DIFFCERT_BOTH std::uint64_t operator[](int i) const { return value[i]; }
};

// The keys of the noise of one sample. The class is not among them: noise is shared by the classes.
struct NoiseKey {
  std::uint64_t seed = 0;
  std::uint32_t image_id = 0;
  std::uint32_t phase = 0;  // dc_phase
  std::uint32_t sample = 0;

  // The two uniforms of elements 2 * block and 2 * block + 1; index <= kMaxNoiseIndex.
  DIFFCERT_BOTH UniformPair uniforms(NoiseStream stream, std::uint32_t index, std::uint32_t block) const {
    const PhiloxBlock b = philox({{block, sample, image_id, phase + (static_cast<std::uint32_t>(stream) << 8) + (index << 16)}}, seed);
    return {{b.word[0] | static_cast<std::uint64_t>(b.word[1]) << 32, b.word[2] | static_cast<std::uint64_t>(b.word[3]) << 32}};
  }
};

}  // namespace diffcert
