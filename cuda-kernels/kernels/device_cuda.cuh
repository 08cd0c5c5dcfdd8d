// device.cuh for nvcc: thin names for what CUDA has. Every function is one instruction or a pointer sum.
#pragma once

#include <cuda_runtime.h>

#define DC_DEVICE __device__ __forceinline__
#define DC_KERNEL(name, Params, threads) __global__ void __launch_bounds__(threads) name(const __grid_constant__ Params p)
#define DC_KERNEL_RESIDENT(name, Params, threads, blocks) __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Params p)

namespace diffcert {

extern __shared__ __align__(128) unsigned char diffcert_shared[];

template <class T>
struct Global {
  T* data;
  DC_DEVICE explicit Global(T* at) : data(at) {}
  DC_DEVICE explicit Global(const Span<T>& span) : data(span.data) {}
  DC_DEVICE T& operator[](std::int64_t i) const { return data[i]; }
  DC_DEVICE Global part(std::int64_t first, std::int64_t) const { return Global(data + first); }
  DC_DEVICE explicit operator bool() const { return data != nullptr; }
};

template <class T>
struct Shared {
  T* data;
  DC_DEVICE T& operator[](int i) const { return data[i]; }
};

// Arrays of shared memory, one behind the other on 16 bytes.
struct SharedPool {
  int used = 0;
  template <class T>
  DC_DEVICE Shared<T> take(const char*, int count) {
    Shared<T> out{reinterpret_cast<T*>(diffcert_shared + used)};
    used += (count * static_cast<int>(sizeof(T)) + 15) / 16 * 16;
    return out;
  }
};

// A vector V of Ts at element i, in one access; i must lie on V's alignment.
template <class V, class Memory>
DC_DEVICE V load_vector(const Memory& memory, std::int64_t i) {
  return *reinterpret_cast<const V*>(&memory[i]);
}
template <class V, class Memory>
DC_DEVICE void store_vector(const Memory& memory, std::int64_t i, const V& value) {
  *reinterpret_cast<V*>(&memory[i]) = value;
}

DC_DEVICE void sync_block() { __syncthreads(); }
DC_DEVICE void sync_warp() { __syncwarp(); }
// Barrier `id` (1 to 15) of `threads` threads, whole warps; arrive does not wait.
DC_DEVICE void sync_named(int id, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }
DC_DEVICE void arrive_named(int id, int threads) { asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory"); }

template <class T>
DC_DEVICE T shuffle(T value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }
template <class T>
DC_DEVICE T shuffle_xor(T value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
template <class T>
DC_DEVICE T shuffle_down(T value, int by) { return __shfl_down_sync(0xffffffffu, value, by); }
DC_DEVICE std::uint32_t ballot(bool value) { return __ballot_sync(0xffffffffu, value); }

DC_DEVICE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
DC_DEVICE double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
DC_DEVICE float square_root(float x) { return __fsqrt_rn(x); }
DC_DEVICE double square_root(double x) { return __dsqrt_rn(x); }
DC_DEVICE float as_float(std::uint32_t bits) { return __uint_as_float(bits); }
DC_DEVICE std::uint32_t as_bits(float value) { return __float_as_uint(value); }
DC_DEVICE float round_down(float x) { return floorf(x); }
DC_DEVICE double round_down(double x) { return ::floor(x); }

}  // namespace diffcert
