// device.cuh for the emulator: the same names, each access checked, each barrier and collective a meeting of fibers.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "emulator/machine.hpp"
#include "kernels/span.hpp"

#define DC_DEVICE inline
#define DC_KERNEL(name, Params, threads) void name(const Params& p)
#define DC_KERNEL_RESIDENT(name, Params, threads, blocks) void name(const Params& p)
#define threadIdx (::diffcert::emulator::self->index)
#define blockIdx (::diffcert::emulator::block_index)
#define blockDim (::diffcert::emulator::block_size)
#define gridDim (::diffcert::emulator::grid_size)

namespace diffcert {
// As the emulated and the plain Span-side types must not meet in one program, the checked ones have a namespace of their own.
inline namespace emulated {

// An index that knows the line it was written on.
struct Index {
  std::int64_t value;
  emulator::Where where;
  template <class I, class = std::enable_if_t<std::is_integral_v<I>>>
  Index(I i, emulator::Where at = emulator::Where::current()) : value(static_cast<std::int64_t>(i)), where(at) {}
};

template <class T>
struct Global {
  T* data;
  std::int64_t count;
  Global(T* at, std::int64_t n) : data(at), count(n) {}
  explicit Global(const Span<T>& span) : data(span.data), count(span.count) {}
  explicit operator bool() const { return data != nullptr; }

  T& operator[](Index i) const {
    check(i, 1);
    return data[i.value];
  }
  // [first, first + n) of this; must lie within it.
  Global part(Index first, std::int64_t n) const {
    if (first.value < 0 || n < 0 || first.value + n > count) outside(first, n);
    return {data + first.value, n};
  }
  void check(const Index& i, std::int64_t n) const {
    if (i.value < 0 || i.value + n > count) outside(i, n);
    emulator::check_global(data + i.value, n * static_cast<std::int64_t>(sizeof(T)), i.where);
  }

 private:
  [[noreturn]] void outside(const Index& i, std::int64_t n) const {
    emulator::fail(emulator::FaultKind::out_of_bounds_global,
                   "elements " + std::to_string(i.value) + " to " + std::to_string(i.value + n - 1) + " of " + std::to_string(count) +
                       " in global memory", i.where);
  }
};

// One element of shared memory: reading and writing are told apart.
template <class T>
class SharedElement {
 public:
  SharedElement(T* at, const char* array, const emulator::Where& where) : at_(at), array_(array), where_(where) {}
  operator T() const {
    emulator::note_shared(at_, sizeof(T), sizeof(T), emulator::Access::read, array_, where_);
    return *at_;
  }
  const SharedElement& operator=(T value) const {
    emulator::note_shared(at_, sizeof(T), sizeof(T), emulator::Access::write, array_, where_);
    *at_ = value;
    return *this;
  }
  const SharedElement& operator=(const SharedElement& other) const { return *this = static_cast<T>(other); }
  const SharedElement& operator+=(T value) const { return *this = static_cast<T>(*this) + value; }

 private:
  T* at_;
  const char* array_;
  emulator::Where where_;
};

template <class T>
struct Shared {
  static_assert(sizeof(T) % 2 == 0, "the order of accesses is kept for every two bytes");
  T* data;
  std::int64_t count;
  const char* name;
  SharedElement<T> operator[](Index i) const {
    check(i, 1);
    return {data + i.value, name, i.where};
  }
  void check(const Index& i, std::int64_t n) const {
    if (i.value >= 0 && i.value + n <= count) return;
    emulator::fail(emulator::FaultKind::out_of_bounds_shared,
                   "elements " + std::to_string(i.value) + " to " + std::to_string(i.value + n - 1) + " of " + std::to_string(count) +
                       " of '" + name + "' in shared memory", i.where);
  }
};

struct SharedPool {
  std::int64_t used = 0;
  template <class T>
  Shared<T> take(const char* name, std::int64_t count, emulator::Where where = emulator::Where::current()) {
    Shared<T> out{reinterpret_cast<T*>(emulator::shared_memory() + used), count, name};
    used += (count * static_cast<std::int64_t>(sizeof(T)) + 15) / 16 * 16;
    if (used > emulator::shared_size()) {
      emulator::fail(emulator::FaultKind::out_of_bounds_shared, std::string("takes '") + name + "' up to byte " + std::to_string(used) +
                                                                    " of shared memory, the launch gave " + std::to_string(emulator::shared_size()), where);
    }
    emulator::note_array(out.data, count * static_cast<std::int64_t>(sizeof(T)), name);
    return out;
  }
};

template <class V, class T>
void check_alignment(const T* at, const Index& i) {
  if (reinterpret_cast<std::uintptr_t>(at) % alignof(V) == 0) return;
  emulator::fail(emulator::FaultKind::misaligned,
                 "a vector of " + std::to_string(sizeof(V)) + " bytes at element " + std::to_string(i.value) + " is not on a multiple of its size", i.where);
}

template <class V, class T>
V load_vector(const Global<T>& memory, Index i) {
  memory.check(i, sizeof(V) / sizeof(T));
  check_alignment<V>(memory.data + i.value, i);
  V out;
  std::memcpy(&out, memory.data + i.value, sizeof(V));
  return out;
}
template <class V, class T>
void store_vector(const Global<T>& memory, Index i, const V& value) {
  memory.check(i, sizeof(V) / sizeof(T));
  check_alignment<V>(memory.data + i.value, i);
  std::memcpy(memory.data + i.value, &value, sizeof(V));
}
template <class V, class T>
V load_vector(const Shared<T>& memory, Index i) {
  memory.check(i, sizeof(V) / sizeof(T));
  check_alignment<V>(memory.data + i.value, i);
  emulator::note_shared(memory.data + i.value, sizeof(V), sizeof(T), emulator::Access::read, memory.name, i.where);
  V out;
  std::memcpy(&out, memory.data + i.value, sizeof(V));
  return out;
}
template <class V, class T>
void store_vector(const Shared<T>& memory, Index i, const V& value) {
  memory.check(i, sizeof(V) / sizeof(T));
  check_alignment<V>(memory.data + i.value, i);
  emulator::note_shared(memory.data + i.value, sizeof(V), sizeof(T), emulator::Access::write, memory.name, i.where);
  std::memcpy(memory.data + i.value, &value, sizeof(V));
}

inline void sync_block(emulator::Where where = emulator::Where::current()) { emulator::sync_threads(where); }
inline void sync_named(int id, int threads, emulator::Where where = emulator::Where::current()) {
  emulator::sync_named(id, threads, true, where);
}
inline void arrive_named(int id, int threads, emulator::Where where = emulator::Where::current()) {
  emulator::sync_named(id, threads, false, where);
}
inline void sync_warp(emulator::Where where = emulator::Where::current()) {
  emulator::collective([](void* const*) {}, nullptr, true, "sync_warp", where);
}

// What each lane brings to a shuffle, and takes from it.
template <class T>
struct Exchange {
  T value;
  int from;
  T result;
};

template <class T>
T exchange(T value, int from, const char* name, const emulator::Where& where) {
  Exchange<T> mine{value, from, value};
  emulator::collective(
      [](void* const* lanes) {
        for (int lane = 0; lane < emulator::kWarp; ++lane) {
          auto* own = static_cast<Exchange<T>*>(lanes[lane]);
          own->result = static_cast<const Exchange<T>*>(lanes[own->from & 31])->value;
        }
      },
      &mine, false, name, where);
  return mine.result;
}

template <class T>
T shuffle(T value, int lane, emulator::Where where = emulator::Where::current()) { return exchange(value, lane, "shuffle", where); }
template <class T>
T shuffle_xor(T value, int mask, emulator::Where where = emulator::Where::current()) {
  return exchange(value, emulator::self->lane ^ mask, "shuffle_xor", where);
}
// Lanes whose source lies beyond the warp keep their own value.
template <class T>
T shuffle_down(T value, int by, emulator::Where where = emulator::Where::current()) {
  const int from = emulator::self->lane + by;
  return exchange(value, from < emulator::kWarp ? from : emulator::self->lane, "shuffle_down", where);
}
inline std::uint32_t ballot(bool value, emulator::Where where = emulator::Where::current()) {
  std::uint32_t mine = value ? 1 : 0;
  emulator::collective(
      [](void* const* lanes) {
        std::uint32_t all = 0;
        for (int lane = 0; lane < emulator::kWarp; ++lane) all |= *static_cast<std::uint32_t*>(lanes[lane]) << lane;
        for (int lane = 0; lane < emulator::kWarp; ++lane) *static_cast<std::uint32_t*>(lanes[lane]) = all;
      },
      &mine, false, "ballot", where);
  return mine;
}

inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float square_root(float x) { return std::sqrt(x); }
inline double square_root(double x) { return std::sqrt(x); }
inline float round_down(float x) { return std::floor(x); }
inline double round_down(double x) { return std::floor(x); }
inline float as_float(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline std::uint32_t as_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace emulated
}  // namespace diffcert
