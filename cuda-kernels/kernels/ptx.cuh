// The PTX instructions that kernels use, as functions, for sm_80 and later; their emulations stand in emulator/ptx.hpp.
//
// Fragments are as the PTX manual lays them out for mma.m16n8k16 and m16n8k8: lane = 4 * group + id; a C register pair is row `group` (then
// group + 8), columns 2 * id and 2 * id + 1.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/device.cuh"

#if !defined(__CUDACC__)
#include "emulator/ptx.hpp"
#else

namespace diffcert {

DC_DEVICE std::uint32_t shared_address(const void* at) { return static_cast<std::uint32_t>(__cvta_generic_to_shared(at)); }

// Four 8x8 tiles of bf16; lanes 8 i to 8 i + 7 say where the rows of tile i begin (element index, 16-byte aligned). Register i of a lane
// holds row lane / 4, columns 2 (lane mod 4) and the next, of tile i; transposed: of the tile's transpose.
DC_DEVICE void load_matrix(std::uint32_t (&out)[4], const Shared<Bf16>& memory, int row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(&memory[row]))
               : "memory");
}
DC_DEVICE void load_matrix_transposed(std::uint32_t (&out)[4], const Shared<Bf16>& memory, int row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(&memory[row]))
               : "memory");
}

// c += a b: a 16x16 bf16 by rows, b 16x8 bf16 by columns, c 16x8 float32.
DC_DEVICE void multiply_bf16(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// c += a b: a 16x8 tf32 by rows, b 8x8 tf32 by columns.
DC_DEVICE void multiply_tf32(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// 2^x and 1/x by the special-function unit, within 2 units of float32's last place, and log2 x, within 2^-22 where |log2 x| < 1 and relatively
// elsewhere; subnormals are zero.
DC_DEVICE float quick_exp2(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}
DC_DEVICE float quick_log2(float x) {
  float out;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}
DC_DEVICE float quick_reciprocal(float x) {
  float out;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}

// 16 bytes from global to shared memory behind the thread's back; `there` false: zeros, and nothing is read. What came is the thread's own
// after copy_wait, and other threads' after a barrier.
template <class T>
DC_DEVICE void copy_async(const Shared<T>& to, int i, const Global<const T>& from, std::int64_t j, bool there) {
  const int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(&to[i])), "l"(there ? &from[j] : from.data), "r"(bytes) : "memory");
}
DC_DEVICE void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until at most `pending` groups are still on their way.
template <int pending>
DC_DEVICE void copy_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory"); }

}  // namespace diffcert
#endif
