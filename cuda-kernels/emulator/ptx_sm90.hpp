// ptx_sm90.cuh for the emulator; what happens, and when, stands in async.hpp.
#pragma once

#include <algorithm>
#include <limits>

#include "emulator/machine.hpp"
#include "kernels/bf16.cuh"
#include "kernels/device.cuh"

namespace diffcert {
inline namespace emulated {

inline const PhaseBarrier* barrier_at(const Shared<PhaseBarrier>& barriers, const Index& i) {
  barriers.check(i, 1);
  return barriers.data + i.value;
}
inline void barrier_init(const Shared<PhaseBarrier>& barriers, Index i, int arrivals) { emulator::barrier_init(barrier_at(barriers, i), arrivals, i.where); }
inline void barrier_arrive(const Shared<PhaseBarrier>& barriers, Index i) { emulator::barrier_arrive(barrier_at(barriers, i), 0, i.where); }
inline void barrier_arrive_expecting(const Shared<PhaseBarrier>& barriers, Index i, int bytes) {
  emulator::barrier_arrive(barrier_at(barriers, i), bytes, i.where);
}
inline void barrier_wait(const Shared<PhaseBarrier>& barriers, Index i, int parity) { emulator::barrier_wait(barrier_at(barriers, i), parity, i.where); }

inline void fence_async_proxy() { emulator::fence_async_proxy(); }

template <class T>
void copy_bulk(const Shared<T>& to, Index i, const Global<const T>& from, std::int64_t j, int count, const Shared<PhaseBarrier>& barriers, int barrier) {
  struct alignas(16) Chunk {
    T v[16 / sizeof(T)];
  };
  const Index source(j, i.where);
  const std::int64_t bytes = std::int64_t{1} * count * static_cast<std::int64_t>(sizeof(T));
  to.check(i, count);
  from.check(source, count);
  check_alignment<Chunk>(to.data + i.value, i);
  check_alignment<Chunk>(from.data + j, source);
  if (bytes % 16 != 0) emulator::fail(emulator::FaultKind::misaligned, "a bulk copy of " + std::to_string(bytes) + " bytes, must be a multiple of 16", i.where);
  emulator::bulk_copy(to.data + i.value, from.data + j, bytes, sizeof(T), to.name, barrier_at(barriers, Index(barrier, i.where)), i.where);
}

// The sums know the last product that is on its way to them, and how many fences their thread must have passed before the next.
template <int columns>
struct Sums {
  float v[columns / 2];
  std::uint32_t product = 0;
  mutable std::uint32_t fences = 1;
  Sums() { std::fill(v, v + columns / 2, std::numeric_limits<float>::quiet_NaN()); }
  float operator[](Index i) const {
    if (!emulator::sums_made(product)) {
      emulator::fail(emulator::FaultKind::pending_sum, "reads sums of a product that it has not waited for", i.where);
    }
    fences = emulator::self->register_fences + 1;
    return v[i.value];
  }
};

inline std::uint64_t matrix_at(const Shared<Bf16>& memory, Index first, std::uint64_t strides) {
  struct alignas(16) Row {
    Bf16 v[8];
  };
  memory.check(first, 8);
  check_alignment<Row>(memory.data + first.value, first);
  return strides | static_cast<std::uint64_t>(emulator::offset_of(memory.data + first.value) >> 4);
}
inline void wgmma_fence(emulator::Where where = emulator::Where::current()) {
  ++emulator::self->register_fences;
  emulator::collective([](void* const*) {}, nullptr, false, "wgmma_fence", where);
}
template <int columns>
void wgmma(Sums<columns>& c, std::uint64_t a, std::uint64_t b, bool add, emulator::Where where = emulator::Where::current()) {
  if (emulator::self->register_fences < c.fences) {
    emulator::fail(emulator::FaultKind::pending_sum, "multiplies into sums with no wgmma_fence() since they were made or read", where);
  }
  emulator::Multiplication mine{a, b, columns, add, c.v};
  emulator::matrix_multiply(mine, where);
  c.product = mine.epoch;
}
inline void wgmma_commit(emulator::Where where = emulator::Where::current()) { emulator::matrix_commit(where); }
template <int pending>
void wgmma_wait(emulator::Where where = emulator::Where::current()) { emulator::matrix_wait(pending, where); }

template <int count>
void give_registers(emulator::Where where = emulator::Where::current()) {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "as setmaxnreg has it");
  emulator::meet_warpgroup("give_registers", where);
}
template <int count>
void take_registers(emulator::Where where = emulator::Where::current()) {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "as setmaxnreg has it");
  emulator::meet_warpgroup("take_registers", where);
}

}  // namespace emulated
}  // namespace diffcert
