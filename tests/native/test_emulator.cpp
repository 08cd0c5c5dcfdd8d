// The emulator finds what it is there for: each kernel below is right, or has one fault planted in it; the right form must run in every order
// of threads with the right result, the planted one must be found, as what it is.
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/device.cuh"
#include "kernels/ptx.cuh"

using namespace diffcert;
using emulator::FaultKind;

namespace {

struct Params {
  Span<const float> in;
  Span<float> out;
  bool planted;
};

constexpr int kThreads = 128;

// Neighbours through shared memory: out[i] = in[i] + in[i + 1 mod 128].
DC_KERNEL(missing_barrier, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = in[t];
  if (!p.planted) sync_block();
  out[t] = tile[t] + tile[(t + 1) % kThreads];
}

// Two rounds over one tile: the second must not write before all have read.
DC_KERNEL(missing_second_barrier, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    tile[t] = in[t];
    sync_block();
    sum = sum + tile[(t + 1 - round) % kThreads];
    if (!p.planted) sync_block();
  }
  out[t] = sum;
}

// Lanes of one warp are not ordered by luck either.
DC_KERNEL(missing_warp_barrier, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x), first = t / 32 * 32;
  tile[t] = in[t];
  if (!p.planted) sync_warp();
  out[t] = in[t] + tile[first + (t + 1) % 32];
  if (t % 32 == 31) out[t] = in[t] + in[(t + 1) % kThreads];
}

// A halo of one to the right, one too far in the last place.
DC_KERNEL(halo_beyond_the_sample, Params, kThreads) {
  const int t = static_cast<int>(threadIdx.x);
  const Global<const float> sample = Global<const float>(p.in).part(0, kThreads);
  const Global<float> out(p.out);
  out[t] = sample[t] + sample[p.planted ? t + 1 : (t + 1) % kThreads];
}

DC_KERNEL(tile_too_small, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", p.planted ? kThreads - 1 : kThreads), next = pool.take<float>("next", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = in[t];
  next[t] = in[(t + 1) % kThreads];
  sync_block();
  out[t] = tile[t] + next[t];
}

struct alignas(8) Two {
  float a, b;
};

DC_KERNEL(misaligned_vector, Params, kThreads) {
  const int t = static_cast<int>(threadIdx.x);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const Two pair = load_vector<Two>(in, p.planted && t < kThreads - 1 ? t : t / 2 * 2);
  out[t] = t % 2 == 0 ? pair.a + pair.b : in[t] + in[(t + 1) % kThreads];
}

// The last row of a ragged tile is not filled.
DC_KERNEL(ragged_tile_not_filled, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads + 1);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = in[t];
  if (t == 0 && !p.planted) tile[kThreads] = in[0];
  sync_block();
  out[t] = tile[t] + tile[t + 1];
}

DC_KERNEL(lane_returns_early, Params, kThreads) {
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  if (p.planted && t == kThreads - 1) return;
  const float next = shuffle(in[t], (t + 1) % 32);
  out[t] = in[t] + (t % 32 == 31 ? in[(t + 1) % kThreads] : next);
}

DC_KERNEL(barrier_in_a_branch, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = in[t];
  if (!p.planted || t < 64) sync_block();
  out[t] = in[t] + in[(t + 1) % kThreads];
}

DC_KERNEL(copy_not_waited_for, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  if (t < kThreads / 4) copy_async(tile, 4 * t, in, 4 * t, true);
  copy_commit();
  if (p.planted) copy_wait<1>();
  else copy_wait<0>();
  sync_block();
  out[t] = tile[t] + tile[(t + 1) % kThreads];
}

// What came by cp.async is the copying thread's until a barrier.
DC_KERNEL(copy_without_a_barrier, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  if (t < kThreads / 4) copy_async(tile, 4 * t, in, 4 * t, true);
  copy_commit();
  copy_wait<0>();
  if (!p.planted) sync_block();
  out[t] = tile[t] + tile[(t + 1) % kThreads];
}

// Rows of ldmatrix begin on 16 bytes; a stride that forgets it.
DC_KERNEL(wrong_matrix_stride, Params, kThreads) {
  SharedPool pool;
  const Shared<Bf16> tile = pool.take<Bf16>("tile", 4 * 8 * 16);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  for (int i = t; i < 4 * 8 * 16; i += kThreads) tile[i] = Bf16{static_cast<std::uint16_t>(i)};
  sync_block();
  std::uint32_t registers[4];
  load_matrix(registers, tile, t % 32 * (p.planted ? 12 : 16));
  // Register 3 is row 24 + lane / 4, columns 2 (lane mod 4) and the next.
  const std::uint32_t first = static_cast<std::uint32_t>((24 + t % 32 / 4) * 16 + t % 4 * 2);
  out[t] = registers[3] == (first | (first + 1) << 16) ? in[t] + in[(t + 1) % kThreads] : -1.0f;
}

DC_KERNEL(outside_every_allocation, Params, kThreads) {
  static const std::vector<float> host(kThreads, 1.0f);
  const Global<const float> in(p.planted ? Span<const float>{host.data(), kThreads} : p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  out[t] = in[t] + in[(t + 1) % kThreads];
}

// Producers and consumers: warps 0 and 1 fill, all read; a consumer that waits for the wrong number never wakes.
DC_KERNEL(named_barrier_count, Params, kThreads) {
  SharedPool pool;
  const Shared<float> tile = pool.take<float>("tile", kThreads);
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  if (t < 64) {
    tile[2 * t] = in[2 * t];
    tile[2 * t + 1] = in[2 * t + 1];
    arrive_named(1, kThreads);
  } else {
    sync_named(1, p.planted ? 96 : kThreads);
    for (const int i : {t - 64, t}) out[i] = tile[i] + tile[(i + 1) % kThreads];
  }
}

// Lanes of one warp in two different collectives.
DC_KERNEL(split_warp, Params, kThreads) {
  const Global<const float> in(p.in);
  const Global<float> out(p.out);
  const int t = static_cast<int>(threadIdx.x);
  float next = 0;
  if (p.planted && t % 2 == 0) {
    next = shuffle(in[t], (t + 1) % 32);
  } else {
    next = shuffle_down(in[t], 1);
  }
  out[t] = in[t] + (t % 32 == 31 ? in[(t + 1) % kThreads] : next);
}

void expect(const char* name, void (*kernel)(const Params&), FaultKind expected) {
  auto* in = static_cast<float*>(emulator::allocate_global(kThreads * sizeof(float)));
  auto* out = static_cast<float*>(emulator::allocate_global(kThreads * sizeof(float)));
  for (int i = 0; i < kThreads; ++i) in[i] = static_cast<float>(i * i);
  static thread_local void (*running)(const Params&);
  running = kernel;
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    Params params{{in, kThreads}, {out, kThreads}, false};
    const auto run = [&] {
      return emulator::run({name, [](const void* p) { running(*static_cast<const Params*>(p)); }, &params, {1, 1, 1}, {kThreads, 1, 1}, 2048, seed});
    };
    const auto none = run();
    CHECK(!none) << name << ": " << (none ? none->text : "");
    bool right = true;
    for (int i = 0; i < kThreads; ++i) right = right && out[i] == in[i] + in[(i + 1) % kThreads];
    CHECK(right) << name << ": a wrong result in order " << seed;
    params.planted = true;
    const auto fault = run();
    CHECK(fault) << name << ": not found in order " << seed;
    if (!fault) continue;
    // A race shows as a read of what nobody has written yet, where the reader comes first.
    const bool early = expected == FaultKind::race && fault->kind == FaultKind::uninitialised_shared;
    CHECK(fault->kind == expected || early) << name << ": " << fault->text;
    CHECK(fault->text.find("test_emulator.cpp:") != std::string::npos && fault->text.find(name) != std::string::npos) << fault->text;
    if (seed == 0) std::printf("%s\n", fault->text.c_str());
  }
  CHECK(emulator::check_guards().empty());
  CHECK(emulator::free_global(in).empty() && emulator::free_global(out).empty());
  CHECK(!emulator::free_global(in).empty());
}

}  // namespace

int main() {
  expect("missing_barrier", missing_barrier, FaultKind::race);
  expect("missing_second_barrier", missing_second_barrier, FaultKind::race);
  expect("missing_warp_barrier", missing_warp_barrier, FaultKind::race);
  expect("halo_beyond_the_sample", halo_beyond_the_sample, FaultKind::out_of_bounds_global);
  expect("tile_too_small", tile_too_small, FaultKind::out_of_bounds_shared);
  expect("misaligned_vector", misaligned_vector, FaultKind::misaligned);
  expect("ragged_tile_not_filled", ragged_tile_not_filled, FaultKind::uninitialised_shared);
  expect("lane_returns_early", lane_returns_early, FaultKind::incomplete_warp);
  expect("barrier_in_a_branch", barrier_in_a_branch, FaultKind::divergent_barrier);
  expect("copy_not_waited_for", copy_not_waited_for, FaultKind::pending_copy);
  expect("copy_without_a_barrier", copy_without_a_barrier, FaultKind::race);
  expect("wrong_matrix_stride", wrong_matrix_stride, FaultKind::misaligned);
  expect("outside_every_allocation", outside_every_allocation, FaultKind::out_of_bounds_global);
  expect("named_barrier_count", named_barrier_count, FaultKind::divergent_barrier);
  expect("split_warp", split_warp, FaultKind::incomplete_warp);
  return check::finish();
}
