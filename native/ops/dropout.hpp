// Which elements a DropoutOp drops: 16 bits of a Philox block an element, keyed by the seed, the image's number in training and the layer, so
// that no batch, thread or instruction set shows (docs/spec/training.md). A block of four words decides eight elements. The same source for GPUs.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.hpp"

namespace diffcert {

// A plan's chance: seed and number of the image, in parts of 16 bits, lowest first, which every number type holds exactly.
inline constexpr std::int32_t kChanceParts = 8;
inline constexpr std::int32_t kDropoutWhole = 1 << 16;       // of the rates
inline constexpr std::int64_t kDropoutBlock = 8;             // elements that a block decides
inline constexpr std::uint32_t kFirstDropoutIndex = 16;      // of the training stream: layer 0

// The keys of what is drawn for an image, by its number in training.
DIFFCERT_BOTH NoiseKey training_key(std::uint64_t seed, std::int64_t image) {
  return {seed, static_cast<std::uint32_t>(image), 0, static_cast<std::uint32_t>(image >> 32)};
}

template <class T>
void write_chance(std::uint64_t seed, std::int64_t image, T* parts) {
  for (int i = 0; i < 4; ++i) {
    parts[i] = static_cast<T>((seed >> (16 * i)) & 0xffff);
    parts[4 + i] = static_cast<T>((static_cast<std::uint64_t>(image) >> (16 * i)) & 0xffff);
  }
}

template <class T>
DIFFCERT_BOTH NoiseKey key_of_chance(const T* parts) {
  std::uint64_t seed = 0, image = 0;
  for (int i = 3; i >= 0; --i) {
    seed = seed << 16 | static_cast<std::uint64_t>(parts[i]);
    image = image << 16 | static_cast<std::uint64_t>(parts[4 + i]);
  }
  return training_key(seed, static_cast<std::int64_t>(image));
}

// A rate as a DropoutOp has it.
inline std::int32_t dropout_rate(double rate) { return static_cast<std::int32_t>(std::lround(rate * kDropoutWhole)); }

// The counter of a block of a layer.
DIFFCERT_BOTH PhiloxBlock dropout_counter(const NoiseKey& key, std::int32_t layer, std::uint32_t block) {
  const std::uint32_t index = kFirstDropoutIndex + static_cast<std::uint32_t>(layer);
  return {{block, key.sample, key.image_id, (static_cast<std::uint32_t>(NoiseStream::training) << 8) + (index << 16)}};
}

// The draw of a block's element `within`, 0 to 65535: it is dropped where that is below the rate.
DIFFCERT_BOTH std::int32_t dropout_draw(const PhiloxBlock& block, int within) {
  return static_cast<std::int32_t>(block.word[within / 2] >> (within % 2 * 16) & 0xffff);
}
inline std::int32_t dropout_draw(const NoiseKey& key, std::int32_t layer, std::int64_t element) {
  return dropout_draw(philox(dropout_counter(key, layer, static_cast<std::uint32_t>(element / kDropoutBlock)), key.seed), static_cast<int>(element % kDropoutBlock));
}

// What a kept element is multiplied by.
inline float dropout_scale(std::int32_t rate) { return static_cast<float>(static_cast<double>(kDropoutWhole) / (kDropoutWhole - rate)); }

}  // namespace diffcert
