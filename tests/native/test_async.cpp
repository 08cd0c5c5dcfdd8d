// What works behind a block's threads: a product by bulk copies, phased barriers and wgmma, with each of its faults planted in turn. The right form must
// give the sums of its operands in every order of threads; each fault must be found, as what it is.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/device.cuh"
#include "kernels/ptx_sm90.cuh"

using namespace diffcert;
using emulator::FaultKind;

namespace {

enum class Plant {
  none,
  wrong_stride,           // of a's descriptor: rows that are not there
  swizzled_descriptor,
  missing_proxy_fence,
  fence_after_arrival,
  missing_wait_group,
  wait_too_few_groups,
  missing_register_fence,
  wrong_parity,
  bytes_too_many,         // announced
  bytes_too_few,
  missing_arrival,
  missing_release,        // the producer does not wait for the consumers
  release_before_wait,    // the consumers release what is still being multiplied
  barrier_not_fenced,
  barrier_not_made,
  one_thread_waits,
  half_a_warpgroup,
  copy_left_over,
  misaligned_copy,
};

struct ProductParams {
  Span<const float> a;  // [64][kDepth]
  Span<const Bf16> b;   // [step][2][128][8]
  Span<float> out;      // [64][128]
  Plant plant;
};

constexpr int kSteps = 3, kDepth = 16 * kSteps, kGroup = 128, kThreads = 2 * kGroup, kA = 2 * 64 * 8, kB = 2 * 128 * 8;
constexpr std::int64_t kShared = (kA + kB) * 2 + 3 * 16;

DC_KERNEL(product, ProductParams, kThreads) {
  SharedPool pool;
  const Shared<Bf16> a = pool.take<Bf16>("a", kA), b = pool.take<Bf16>("b", kB);
  const Shared<PhaseBarrier> full = pool.take<PhaseBarrier>("full", 2), empty = pool.take<PhaseBarrier>("empty", 1);
  const Plant plant = p.plant;
  const int thread = static_cast<int>(threadIdx.x) % kGroup;
  if (threadIdx.x == 0) {
    if (plant != Plant::barrier_not_made) barrier_init(full, 0, kGroup);  // a: every producer
    barrier_init(full, 1, 1);                                             // b: the thread that copies
    barrier_init(empty, 0, 4);                                            // a lane of each consumer warp
    if (plant != Plant::barrier_not_fenced) fence_async_proxy();
  }
  sync_block();
  if (threadIdx.x < kGroup) {
    const Global<const float> from(p.a);
    const Global<const Bf16> weight(p.b);
    for (int step = 0; step < kSteps; ++step) {
      if (plant != Plant::missing_release) barrier_wait(empty, 0, (step & 1) ^ (plant == Plant::wrong_parity ? 0 : 1));
      if (thread == 0) {
        const int bytes = 2 * kB + (plant == Plant::bytes_too_many ? 16 : plant == Plant::bytes_too_few ? -16 : 0);
        barrier_arrive_expecting(full, 1, bytes);
        copy_bulk(b, 0, weight, step * kB + (plant == Plant::misaligned_copy ? 4 : 0), kB, full, 1);
        if (plant == Plant::copy_left_over && step == kSteps - 1) copy_bulk(b, 0, weight, 0, 8, full, 0);
      }
      for (int i = thread; i < kA; i += kGroup) a[i] = to_bf16(from[(i / 8 % 64) * kDepth + step * 16 + i / 512 * 8 + i % 8]);
      if (plant != Plant::missing_proxy_fence && plant != Plant::fence_after_arrival) fence_async_proxy();
      if (plant != Plant::missing_arrival || thread != 77) barrier_arrive(full, 0);
      if (plant == Plant::fence_after_arrival) fence_async_proxy();
    }
  } else {
    if (plant == Plant::half_a_warpgroup && thread >= 64) return;
    Sums<128> sums;
    if (plant != Plant::missing_register_fence) wgmma_fence();
    for (int step = 0; step < kSteps; ++step) {
      if (plant != Plant::one_thread_waits || thread == 0) {
        barrier_wait(full, 0, step & 1);
        barrier_wait(full, 1, step & 1);
      }
      const std::uint64_t swizzle = plant == Plant::swizzled_descriptor ? std::uint64_t{1} << 62 : 0;
      wgmma(sums, matrix_at(a, 0, matrix_strides(64 * 16, plant == Plant::wrong_stride ? 640 : 128) | swizzle),
                      matrix_at(b, 0, matrix_strides(128 * 16, 128)), step > 0);
      wgmma_commit();
      if (plant == Plant::release_before_wait && thread % 32 == 0) barrier_arrive(empty, 0);
      if (plant == Plant::wait_too_few_groups) wgmma_wait<1>();
      else if (plant != Plant::missing_wait_group) wgmma_wait<0>();
      if (plant != Plant::release_before_wait && thread % 32 == 0) barrier_arrive(empty, 0);
    }
    const Global<float> out(p.out);
    for (int i = 0; i < 64; ++i) {
      out[(thread / 32 * 16 + i / 2 % 2 * 8 + thread % 32 / 4) * 128 + i / 4 * 8 + thread % 4 * 2 + i % 2] = sums[i];
    }
  }
}

struct Case {
  Plant plant;
  const char* name;
  std::vector<FaultKind> kinds;  // what it may show as; which one depends on who comes first
};

const std::vector<Case> cases = {
    {Plant::none, "none", {}},
    {Plant::wrong_stride, "wrong_stride", {FaultKind::out_of_bounds_shared}},
    {Plant::swizzled_descriptor, "swizzled_descriptor", {FaultKind::bad_descriptor}},
    {Plant::missing_proxy_fence, "missing_proxy_fence", {FaultKind::unfenced}},
    {Plant::fence_after_arrival, "fence_after_arrival", {FaultKind::unfenced}},
    {Plant::missing_wait_group, "missing_wait_group", {FaultKind::race, FaultKind::pending_sum}},
    {Plant::wait_too_few_groups, "wait_too_few_groups", {FaultKind::race, FaultKind::pending_sum}},
    {Plant::missing_register_fence, "missing_register_fence", {FaultKind::pending_sum}},
    {Plant::wrong_parity, "wrong_parity", {FaultKind::bad_barrier}},
    {Plant::bytes_too_many, "bytes_too_many", {FaultKind::bad_barrier}},
    {Plant::bytes_too_few, "bytes_too_few", {FaultKind::bad_barrier}},
    {Plant::missing_arrival, "missing_arrival", {FaultKind::bad_barrier}},
    {Plant::missing_release, "missing_release", {FaultKind::race, FaultKind::pending_copy}},
    {Plant::release_before_wait, "release_before_wait", {FaultKind::race}},
    {Plant::barrier_not_fenced, "barrier_not_fenced", {FaultKind::unfenced}},
    {Plant::barrier_not_made, "barrier_not_made", {FaultKind::uninitialised_shared}},
    {Plant::one_thread_waits, "one_thread_waits", {FaultKind::race, FaultKind::uninitialised_shared, FaultKind::pending_copy}},
    {Plant::half_a_warpgroup, "half_a_warpgroup", {FaultKind::incomplete_warp}},
    {Plant::copy_left_over, "copy_left_over", {FaultKind::race, FaultKind::pending_copy, FaultKind::bad_barrier}},
    {Plant::misaligned_copy, "misaligned_copy", {FaultKind::misaligned}},
};

template <class T>
T* allocate(std::int64_t count) {
  return static_cast<T*>(emulator::allocate_global(count * static_cast<std::int64_t>(sizeof(T))));
}

// The sums against float64: a product of 16 rounds once, its sum once.
double worst_error(const float* a, const Bf16* b, const float* out) {
  double worst = 0;
  for (int row = 0; row < 64; ++row) {
    for (int column = 0; column < 128; ++column) {
      double sum = 0;
      for (int k = 0; k < kDepth; ++k) {
        sum += static_cast<double>(to_float(to_bf16(a[row * kDepth + k]))) *
               static_cast<double>(to_float(b[k / 16 * kB + k % 16 / 8 * 1024 + column * 8 + k % 8]));
      }
      worst = std::max(worst, std::fabs(sum - static_cast<double>(out[row * 128 + column])));
    }
  }
  return worst;
}

}  // namespace

int main() {
  auto* a = allocate<float>(64 * kDepth);
  auto* b = allocate<Bf16>(kSteps * kB);
  auto* out = allocate<float>(64 * 128);
  std::uint32_t state = 3;
  const auto next = [&] { return static_cast<float>(static_cast<std::int32_t>(state = state * 1664525u + 1013904223u)) * 0x1p-31f; };
  for (int i = 0; i < 64 * kDepth; ++i) a[i] = next();
  for (int i = 0; i < kSteps * kB; ++i) b[i] = to_bf16(next());
  for (const Case& c : cases) {
    for (const std::uint64_t seed : {0, 1, 2, 3, 4, 5}) {
      for (int i = 0; i < 64 * 128; ++i) out[i] = NAN;
      const ProductParams params{{a, 64 * kDepth}, {b, kSteps * kB}, {out, 64 * 128}, c.plant};
      const auto fault = emulator::run({"product", [](const void* p) { product(*static_cast<const ProductParams*>(p)); }, &params, {1, 1, 1}, {kThreads, 1, 1},
                                        kShared, seed});
      if (c.kinds.empty()) {
        CHECK(!fault) << (fault ? fault->text : "");
        // Sums stay below 16: three roundings of at most 2^-21 each.
        CHECK(worst_error(a, b, out) <= 3 * 0x1p-21) << worst_error(a, b, out) << " in order " << seed;
        continue;
      }
      CHECK(fault) << c.name << ": not found in order " << seed;
      if (!fault) continue;
      bool expected = false;
      for (const FaultKind kind : c.kinds) expected = expected || fault->kind == kind;
      CHECK(expected) << c.name << " in order " << seed << ": " << fault->text;
      CHECK(fault->text.find("test_async.cpp:") != std::string::npos) << fault->text;
      if (seed == 0) std::printf("%s: %s\n", c.name, fault->text.c_str());
    }
  }
  for (void* memory : {static_cast<void*>(a), static_cast<void*>(b), static_cast<void*>(out)}) CHECK(emulator::free_global(memory).empty());
  return check::finish();
}
