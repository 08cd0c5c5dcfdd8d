// The one header that a kernel's source includes first: it makes the same source compile with nvcc for a GPU and with g++ for the
// emulator. Rules that keep it so:
//
// - A kernel is DC_KERNEL(name, Params, threads) { ... }, takes one plain struct `p`, and stands in kernel_list.hpp. DC_KERNEL_RESIDENT(...,
//   blocks) gives ptxas the registers that leave room for as many blocks on a multiprocessor; left to itself it may take fewer, and spill.
// - Global memory is read and written through Global<T>, made from a Span of the params; part() narrows it to what a block may touch.
// - Shared memory is dynamic and comes from a SharedPool, in the same order in every thread; its size is a function in the family's
//   header, so that the launcher and the kernel cannot differ.
// - Barriers, shuffles and PTX go through the functions below and those of ptx.cuh. Collectives take whole warps.
// - Nothing is warp-synchronous: lanes meet at sync_warp() or at a collective, never by luck.
// - Multiply-adds are fused where the source says fma() and nowhere else (nvcc -fmad=false, g++ -ffp-contract=off).
#pragma once

#include <cstdint>

#include "kernels/span.hpp"

#if defined(__CUDACC__)
#include "kernels/device_cuda.cuh"
#else
#include "emulator/device.hpp"
#endif
