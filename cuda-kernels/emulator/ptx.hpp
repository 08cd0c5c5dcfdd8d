// ptx.cuh for the emulator: ldmatrix, mma.sync and cp.async as the PTX manual defines them.
//
// mma: products are exact, a k-step's sum is kept in double and rounded to float32 once, then added to c. Hardware rounds elsewhere within a
// step; tolerances allow for it, and no vote is ever compared between a GPU and the emulator by bits.
#pragma once

#include <cmath>
#include <cstring>

#include "emulator/machine.hpp"
#include "kernels/bf16.cuh"
#include "kernels/device.cuh"

namespace diffcert {
inline namespace emulated {

struct MatrixRows {
  const Shared<Bf16>* memory;
  std::int64_t row;
  std::uint32_t* out;
};

inline std::uint16_t tile_element(const MatrixRows* const* lanes, int tile, int row, int column) {
  const MatrixRows& from = *lanes[8 * tile + row];
  return from.memory->data[from.row + column].bits;
}

template <bool transposed>
void exchange_matrix(void* const* raw) {
  const MatrixRows* lanes[emulator::kWarp];
  for (int lane = 0; lane < emulator::kWarp; ++lane) lanes[lane] = static_cast<const MatrixRows*>(raw[lane]);
  for (int lane = 0; lane < emulator::kWarp; ++lane) {
    const int row = lane / 4, column = lane % 4 * 2;
    for (int tile = 0; tile < 4; ++tile) {
      const std::uint16_t low = transposed ? tile_element(lanes, tile, column, row) : tile_element(lanes, tile, row, column);
      const std::uint16_t high = transposed ? tile_element(lanes, tile, column + 1, row) : tile_element(lanes, tile, row, column + 1);
      lanes[lane]->out[tile] = low | static_cast<std::uint32_t>(high) << 16;
    }
  }
}

template <bool transposed>
void load_tiles(std::uint32_t (&out)[4], const Shared<Bf16>& memory, const Index& row) {
  struct alignas(16) Row {
    Bf16 v[8];
  };
  memory.check(row, 8);
  check_alignment<Row>(memory.data + row.value, row);
  emulator::note_shared(memory.data + row.value, sizeof(Row), sizeof(Bf16), emulator::Access::read, memory.name, row.where);
  MatrixRows mine{&memory, row.value, out};
  emulator::collective(&exchange_matrix<transposed>, &mine, false, "load_matrix", row.where);
}
inline void load_matrix(std::uint32_t (&out)[4], const Shared<Bf16>& memory, Index row) { load_tiles<false>(out, memory, row); }
inline void load_matrix_transposed(std::uint32_t (&out)[4], const Shared<Bf16>& memory, Index row) { load_tiles<true>(out, memory, row); }

struct Fragments {
  float* c;
  const std::uint32_t* a;
  std::uint32_t b[2];
};

inline float half_of(std::uint32_t pair, int which) { return to_float(Bf16{static_cast<std::uint16_t>(which == 0 ? pair : pair >> 16)}); }

// a [16][depth], b [depth][8] from the lanes' registers, multiplied into the lanes' c.
template <int depth, class A, class B>
void multiply_fragments(void* const* raw, const A& a_at, const B& b_at) {
  const Fragments* lanes[emulator::kWarp];
  for (int lane = 0; lane < emulator::kWarp; ++lane) lanes[lane] = static_cast<const Fragments*>(raw[lane]);
  float a[16][depth], b[depth][8];
  for (int k = 0; k < depth; ++k) {
    for (int row = 0; row < 16; ++row) a[row][k] = a_at(lanes, row, k);
    for (int column = 0; column < 8; ++column) b[k][column] = b_at(lanes, k, column);
  }
  for (int lane = 0; lane < emulator::kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + (i / 2) * 8, column = lane % 4 * 2 + i % 2;
      double sum = 0;
      for (int k = 0; k < depth; ++k) sum += static_cast<double>(a[row][k]) * static_cast<double>(b[k][column]);
      lanes[lane]->c[i] = static_cast<float>(static_cast<double>(lanes[lane]->c[i]) + sum);
    }
  }
}

inline void multiply_bf16(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
                          emulator::Where where = emulator::Where::current()) {
  Fragments mine{c, a, {b0, b1}};
  emulator::collective(
      [](void* const* raw) {
        multiply_fragments<16>(
            raw,
            [](const Fragments* const* lanes, int row, int k) {
              return half_of(lanes[row % 8 * 4 + k % 8 / 2]->a[row / 8 + k / 8 * 2], k % 2);
            },
            [](const Fragments* const* lanes, int k, int column) { return half_of(lanes[column * 4 + k % 8 / 2]->b[k / 8], k % 2); });
      },
      &mine, false, "multiply_bf16", where);
}

inline void multiply_tf32(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
                          emulator::Where where = emulator::Where::current()) {
  Fragments mine{c, a, {b0, b1}};
  emulator::collective(
      [](void* const* raw) {
        // The unit reads no more than tf32's bits.
        constexpr std::uint32_t kBits = 0xffffe000u;
        multiply_fragments<8>(
            raw,
            [](const Fragments* const* lanes, int row, int k) { return as_float(lanes[row % 8 * 4 + k % 4]->a[row / 8 + k / 4 * 2] & kBits); },
            [](const Fragments* const* lanes, int k, int column) { return as_float(lanes[column * 4 + k % 4]->b[k / 4] & kBits); });
      },
      &mine, false, "multiply_tf32", where);
}

// Rounded where the hardware is off by up to 2 units in the last place; its subnormals are zero.
inline float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }
inline float quick_exp2(float x) { return flushed(std::exp2(flushed(x))); }
inline float quick_log2(float x) { return flushed(std::log2(flushed(x))); }
inline float quick_reciprocal(float x) { return flushed(1.0f / flushed(x)); }

// The copy happens at the wait, as late as the hardware may do it; until then its target is nobody's.
template <class T>
void copy_async(const Shared<T>& to, Index i, const Global<const T>& from, std::int64_t j, bool there) {
  struct alignas(16) Chunk {
    T v[16 / sizeof(T)];
  };
  constexpr std::int64_t count = 16 / sizeof(T);
  to.check(i, count);
  check_alignment<Chunk>(to.data + i.value, i);
  if (there) {
    const Index source(j, i.where);
    from.check(source, count);
    check_alignment<Chunk>(from.data + j, source);
  }
  emulator::note_pending(to.data + i.value, 16, sizeof(T), to.name, i.where);
  emulator::queue_copy(to.data + i.value, there ? from.data + j : nullptr, sizeof(T));
}
inline void copy_commit() { emulator::commit_copies(); }
template <int pending>
void copy_wait() { emulator::wait_copies(pending); }

}  // namespace emulated
}  // namespace diffcert
