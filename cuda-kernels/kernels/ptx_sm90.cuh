// The PTX instructions of Hopper (sm_90a) that kernels use, as functions; their emulations stand in emulator/ptx_sm90.hpp.
//
// Two proxies see shared memory: ordinary loads and stores, and the asynchronous one of bulk copies and wgmma. A thread's stores reach the second
// only through fence_async_proxy() in that thread, and other threads through a barrier after it.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/device.cuh"

namespace diffcert {

// A barrier with phases in shared memory (mbarrier): a phase ends when its arrivals have come and the bytes announced to it.
struct alignas(8) PhaseBarrier {
  std::uint64_t state;
};

// A wgmma operand in shared memory without swizzle: core matrices of 8 rows (of b: columns) by 8 elements of depth, 128 bytes in one piece.
// From one core matrix `leading` bytes lead to the next 8 of depth, `stride` bytes to the next 8 rows; both and `first` in units of 16.
DC_BOTH constexpr std::uint64_t matrix_strides(std::int32_t leading, std::int32_t stride) {
  return static_cast<std::uint64_t>(leading / 16) << 16 | static_cast<std::uint64_t>(stride / 16) << 32;
}
// The descriptor that lies `bytes` further on.
DC_BOTH constexpr std::uint64_t moved(std::uint64_t descriptor, std::int32_t bytes) { return descriptor + static_cast<std::uint64_t>(bytes / 16); }

}  // namespace diffcert

#if !defined(__CUDACC__)
#include "emulator/ptx_sm90.hpp"
#else
#include "kernels/ptx.cuh"

namespace diffcert {

// ---- barriers with phases ----------------------------------------------------------------------------------------------------

// By one thread, which then fences, before a barrier of the block.
DC_DEVICE void barrier_init(const Shared<PhaseBarrier>& barriers, int i, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barriers[i])), "r"(arrivals) : "memory");
}
DC_DEVICE void barrier_arrive(const Shared<PhaseBarrier>& barriers, int i) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barriers[i])) : "memory");
}
// Arrives, and announces bytes that bulk copies will bring in this phase.
DC_DEVICE void barrier_arrive_expecting(const Shared<PhaseBarrier>& barriers, int i, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barriers[i])), "r"(bytes) : "memory");
}
// Until the phase of this parity is over: the first has parity 0. Parity 1 at a fresh barrier is over at once.
DC_DEVICE void barrier_wait(const Shared<PhaseBarrier>& barriers, int i, int parity) {
  asm volatile(
      "{\n"
      ".reg .pred over;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
      "@over bra past;\n"
      "bra again;\n"
      "past:\n"
      "}" ::"r"(shared_address(&barriers[i])), "r"(parity)
      : "memory");
}

// ---- bulk copies ---------------------------------------------------------------------------------------------------------------

DC_DEVICE void fence_async_proxy() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// `count` elements in one piece from global to shared memory, counted at a barrier as they come; 16-byte aligned, a multiple of 16 bytes.
template <class T>
DC_DEVICE void copy_bulk(const Shared<T>& to, int i, const Global<const T>& from, std::int64_t j, int count, const Shared<PhaseBarrier>& barriers, int barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(&to[i])), "l"(&from[j]),
               "r"(count * static_cast<int>(sizeof(T))), "r"(shared_address(&barriers[barrier]))
               : "memory");
}

// ---- matrix products of a warpgroup (4 warps, the first a multiple of 4) ---------------------------------------------------------

// The sums of m64n<columns>: thread t has rows 16 (t / 32) + t mod 32 / 4 + 8 (i / 2 mod 2), columns 8 (i / 4) + 2 (t mod 4) + i mod 2.
template <int columns>
struct Sums {
  float v[columns / 2];
  DC_DEVICE float operator[](int i) const { return v[i]; }
};

DC_DEVICE std::uint64_t matrix_at(const Shared<Bf16>& memory, int first, std::uint64_t strides) {
  return strides | static_cast<std::uint64_t>((shared_address(&memory[first]) & 0x3ffff) >> 4);
}
// Before the first product, and before products into sums that were read.
DC_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
// c = a b, or c += a b: a 64x16, b 16x<columns>, both bf16 with their depth contiguous. The sums may not be touched until the product has been waited
// for; to set them to zero first would make ptxas wait after each product.
#define DC_SUMS(c, i)                                                                                                                       \
  "+f"((c).v[(i) + 0]), "+f"((c).v[(i) + 1]), "+f"((c).v[(i) + 2]), "+f"((c).v[(i) + 3]), \
  "+f"((c).v[(i) + 4]), "+f"((c).v[(i) + 5]), "+f"((c).v[(i) + 6]), "+f"((c).v[(i) + 7]), \
  "+f"((c).v[(i) + 8]), "+f"((c).v[(i) + 9]), "+f"((c).v[(i) + 10]), "+f"((c).v[(i) + 11]), \
  "+f"((c).v[(i) + 12]), "+f"((c).v[(i) + 13]), "+f"((c).v[(i) + 14]), "+f"((c).v[(i) + 15])
DC_DEVICE void wgmma(Sums<64>& c, std::uint64_t a, std::uint64_t b, bool add) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.ne.b32 add, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
      "}, %32, %33, add, 1, 1, 0, 0;\n}"
      : DC_SUMS(c, 0), DC_SUMS(c, 16)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
DC_DEVICE void wgmma(Sums<96>& c, std::uint64_t a, std::uint64_t b, bool add) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.ne.b32 add, %50, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
      "}, %48, %49, add, 1, 1, 0, 0;\n}"
      : DC_SUMS(c, 0), DC_SUMS(c, 16), DC_SUMS(c, 32)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
DC_DEVICE void wgmma(Sums<128>& c, std::uint64_t a, std::uint64_t b, bool add) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.ne.b32 add, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
      "}, %64, %65, add, 1, 1, 0, 0;\n}"
      : DC_SUMS(c, 0), DC_SUMS(c, 16), DC_SUMS(c, 32), DC_SUMS(c, 48)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)));
}
#undef DC_SUMS
DC_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until at most `pending` committed groups are unfinished.
template <int pending>
DC_DEVICE void wgmma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory"); }

// A warpgroup gives registers back, or takes what others gave: `count` for each thread from now on.
template <int count>
DC_DEVICE void give_registers() {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "as setmaxnreg has it");
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count));
}
template <int count>
DC_DEVICE void take_registers() {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "as setmaxnreg has it");
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count));
}

}  // namespace diffcert
#endif
