// The fused convolution for Hopper.
//
// Why this shape: the matrix unit reads both operands from shared memory, through descriptors that know only a start and two strides. In planes of eight
// channels, [c / 8][pixel][8], eight pixels of a row are 128 bytes in one piece from any pixel on: a core matrix. So a patch of 8 x 8 pixels is
// eight core matrices, one halo row apart, and a tap of the kernel is nothing but another start: (dy * wide + dx) * 16 bytes further on. The halo is normed,
// activated and rounded once, for nine taps.
//
// Weights come as the matrix unit reads them, 16 KiB a tap (of 128 outputs) in one piece, so a plain bulk copy brings them: no tensor map, no driver call, no swizzle. Six
// stages of them and two of the halo are full or empty by barriers with phases; the bringing warpgroup never meets the others otherwise. It gives
// its registers to the two that multiply, whose sums take 128 of each thread's.
//
// Shared memory: a product of 64 x 128 x 16 reads 6 KiB in the 64 cycles that it takes, 96 of 128 bytes a cycle. From L2, a tap of 1,024
// cycles takes 16 KiB of weights and a ninth of 41 KiB of halo: 20 bytes a cycle.
#include "kernels/conv_parts.cuh"
#include "kernels/conv_store.cuh"
#include "kernels/fragments.cuh"
#include "kernels/ptx_sm90.cuh"
#include "kernels/sm90_conv.hpp"

namespace diffcert {

#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Other architectures take sm80_conv; a launch here is an error, not a silence.
DC_KERNEL(group_conv_64, GroupConvParams, kGroupThreads) { __trap(); }
DC_KERNEL(group_conv_96, GroupConvParams, kGroupThreads) { __trap(); }
DC_KERNEL(group_conv_128, GroupConvParams, kGroupThreads) { __trap(); }

#else

namespace {

constexpr int kWarpgroup = 128, kPlanes = kGroupDepth / 8;
constexpr int kHaloThreads = 96, kLine = kHaloThreads / kPlanes;  // pixels between a thread's
// Registers of a thread that brings and of one that multiplies; together what 384 threads have at 168, which is what a launch gives.
DC_BOTH constexpr int bringing(int outputs) { return outputs == 128 ? 104 : 136; }
DC_BOTH constexpr int multiplying(int outputs) { return (3 * 168 - bringing(outputs)) / 2; }
constexpr int kBatch = 9;                                         // pixels that a thread has on their way at once: 27 and 9 are to be brought

// Where the tile lies: its first patch's, and how to come from there to the others.
struct Tile {
  int first, across, area;  // of patches: in the batch, of a row of them, of a sample
  int phase, band;

  DC_DEVICE Tile(const GroupConvParams& p, int bands)
      : across((p.width + kGroupPatch - 1) / kGroupPatch), area((p.height + kGroupPatch - 1) / kGroupPatch * across),
        phase(static_cast<int>(blockIdx.y) / bands), band(static_cast<int>(blockIdx.y) % bands) {
    const int tile = static_cast<int>(blockIdx.x);
    first = tile * kGroupPatches;
    if (p.square) {
      const int squares = across / 2, square = tile % (area / 4);
      first = tile / (area / 4) * area + square / squares * 2 * across + square % squares * 2;
    }
  }
  // Patch i of the tile, by its number in the batch.
  DC_DEVICE int patch(const GroupConvParams& p, int i) const { return first + (p.square ? i / 2 * across + i % 2 : i); }
  DC_DEVICE int sample(int patch) const { return patch / area; }
  DC_DEVICE int y(int patch) const { return patch % area / across * kGroupPatch; }
  DC_DEVICE int x(int patch) const { return patch % across * kGroupPatch; }
};

// A halo's shape: `pieces` squares, `wide` x `wide` pixels each.
struct Halo {
  int side, wide, area, pieces;
  DC_DEVICE Halo(const GroupConvParams& p, bool skip)
      : side(skip ? 1 : p.side), wide((p.square ? 16 : 8) + side - 1), area(wide * wide), pieces(p.square ? 1 : kGroupPatches) {}
  // The first pixel of patch i under the first tap.
  DC_DEVICE int start(int i) const { return pieces == 1 ? i / 2 * kGroupPatch * wide + i % 2 * kGroupPatch : i * area; }
};

// places[pixel]: where a halo's pixel lies in its sample, or -1 where there is zero.
DC_DEVICE void find_places(const GroupConvParams& p, const Tile& tile, bool skip, const Shared<std::int32_t>& places, int first) {
  const ConvParams& conv = p.conv;
  const Halo halo(p, skip);
  const int high = skip ? conv.out_height : conv.height, across = skip ? conv.out_width : conv.width;
  const int top = skip ? 0 : p.side == 2 ? tile.phase / 2 - 1 : -conv.padding, left = skip ? 0 : p.side == 2 ? tile.phase % 2 - 1 : -conv.padding;
  for (int at = static_cast<int>(threadIdx.x); at < halo.pieces * halo.area; at += kGroupThreads) {
    const int patch = tile.patch(p, at / halo.area), local = at % halo.area;
    const int y = tile.y(patch) + local / halo.wide + top, x = tile.x(patch) + local % halo.wide + left;
    places[first + at] = tile.sample(patch) < p.samples && y >= 0 && x >= 0 && y < high && x < across ? y * across + x : -1;
  }
}

// Three warps: one step's halo into its stage. Thread t brings plane t mod 8 of every twelfth pixel, so that eight lanes read 128 bytes in one piece. What is
// taken as it lies goes past the registers, a whole step on its way at once: there a step is one tap, and soon multiplied.
DC_DEVICE void bring_halo(const GroupConvParams& p, const ConvVectors& in, const Tile& tile, bool skip, int step, const Shared<std::int32_t>& places,
                          const Shared<Bf16>& to, int stage) {
  const Halo halo(p, skip);
  const int thread = static_cast<int>(threadIdx.x), plane = thread % kPlanes, channel = step * kGroupDepth + plane * 8;
  const int base = stage * kGroupHalo + plane * kGroupPlane * 8;
  const Column column(p.conv, in, skip, channel);
  for (int piece = 0; piece < halo.pieces; ++piece) {
    const int sample = tile.sample(tile.patch(p, piece)), first = piece * halo.area;
    const bool real = column.there && sample < p.samples;
    const auto place_of = [&](int local) -> std::int32_t { return real && local < halo.area ? places[(skip ? kGroupPixels : 0) + first + local] : -1; };
    const auto at = [&](std::int32_t place) { return (sample * column.pixels + place) * column.channels + column.c; };
    if (column.raw) {
      for (int local = thread / kPlanes; local < halo.area; local += kLine) {
        const std::int32_t place = place_of(local);
        copy_async(to, base + (first + local) * 8, column.map, place < 0 ? 0 : at(place), place >= 0);
      }
      continue;
    }
    const LoadVectors load(p.conv, in, real ? sample : 0, real ? channel : 0);
    for (int from = thread / kPlanes; from < halo.area; from += kBatch * kLine) {
      Halves raw[kBatch];
      unsigned inside = 0;  // bit j: pixel j is not a zero
#pragma unroll
      for (int j = 0; j < kBatch; ++j) {
        const std::int32_t place = place_of(from + j * kLine);
        raw[j] = {};
        if (place < 0) continue;
        inside |= 1u << j;
        raw[j] = load_vector<Halves>(column.map, at(place));
      }
#pragma unroll
      for (int j = 0; j < kBatch; ++j) {
        const int local = from + j * kLine;
        if (local < halo.area) store_vector(to, base + (first + local) * 8, (inside >> j & 1u) != 0 ? packed(load(raw[j])) : raw[j]);
      }
    }
  }
  if (column.raw) {
    copy_commit();
    copy_wait<0>();
  }
}

// A warpgroup's product of one tap and step: two patches by a tile's outputs, added unless it is the first.
template <int outputs>
DC_DEVICE void multiply_tap(Sums<outputs> (&sums)[2], const std::uint64_t (&pixels)[2], std::uint64_t weights, int view, bool add) {
  wgmma_fence();
#pragma unroll
  for (int k = 0; k < kGroupDepth / 16; ++k) {
#pragma unroll
    for (int m = 0; m < 2; ++m) {
      wgmma(sums[m], moved(pixels[m], (view + 2 * k * kGroupPlane) * 16), moved(weights, 2 * k * outputs * 16), add || k > 0);
    }
  }
  wgmma_commit();
}

// A warpgroup stores a patch: warp w has its rows 2 w and 2 w + 1. Statistics go to the tile's partials, if there are any.
template <int outputs>
DC_DEVICE void store_patch(const GroupConvParams& p, const Tile& tile, int patch, const Sums<outputs>& sums, const Shared<Bf16>& moments, int group) {
  const ConvParams& conv = p.conv;
  const int thread = static_cast<int>(threadIdx.x) % kWarpgroup, lane = thread % 32, warp = thread / 32, sample = tile.sample(patch);
  const bool mine = sample < p.samples;
  const int top = tile.y(patch) + 2 * warp, x = tile.x(patch) + lane / 4, scale = conv.up2 ? 2 : 1;
  const int high = p.height - top < 0 ? 0 : p.height - top < 2 ? p.height - top : 2, columns = p.width - tile.x(patch) < 8 ? p.width - tile.x(patch) : 8;
  const ConvFinishVectors finish(conv, mine ? sample : 0);
#pragma unroll
  for (int part = 0; part < outputs / 32; ++part) {
    const int o = tile.band * outputs + part * 32 + lane % 4 * 8;
    Eight kept[2], total{};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float pair[4][2];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) pair[j][i] = sums[(part * 4 + j) * 4 + r * 2 + i];
      }
      const Eight sum = turned(pair, lane);
      kept[r] = {};
      if (mine && r < high && x < p.width && o < conv.out_channels) {
        const int out_y = (top + r) * scale + tile.phase / 2, out_x = x * scale + tile.phase % 2;
        const Halves stored = finish.finished(conv, out_y, out_x, o, sum);
        finish.store(conv, out_y, out_x, o, stored);
        kept[r] = unpacked(stored);
      }
#pragma unroll
      for (int i = 0; i < 8; ++i) total.v[i] = total.v[i] + kept[r].v[i];
    }
    if (p.partials.data == nullptr) continue;
    store_moments(moments, (group * 4 + warp) * outputs + part * 32, total, kept, high, columns, x < p.width, lane);
  }
  if (p.partials.data == nullptr) return;
  sync_named(1 + group, kWarpgroup);
  const int o = tile.band * outputs + thread;
  if (mine && thread < outputs && o < conv.out_channels) {
    const Moments all = combined<outputs>(moments, group * 4, 4, thread, p.height - tile.y(patch), 2, columns);
    const std::int64_t size = std::int64_t{2} * tile.area * (conv.up2 ? 4 : 1) * conv.out_channels;
    const Global<float> partials = Global<float>(p.partials).part(sample * size, size);
    const std::int64_t at = std::int64_t{2} * (tile.phase * tile.area + patch % tile.area) * conv.out_channels + o;
    partials[at] = all.mean;
    partials[at + conv.out_channels] = all.m2;
  }
  sync_named(1 + group, kWarpgroup);  // before the next patch's
}

template <int outputs>
DC_DEVICE void convolve(const GroupConvParams& p) {
  SharedPool pool;
  const Shared<Bf16> halos = pool.take<Bf16>("halos", kGroupHalos * kGroupHalo), weights = pool.take<Bf16>("weights", kGroupStages * group_weights(outputs));
  const Shared<Bf16> moments = pool.take<Bf16>("moments", 2 * 4 * outputs * 4);
  const Shared<std::int32_t> places = pool.take<std::int32_t>("places", 2 * kGroupPixels);
  const Shared<PhaseBarrier> halo_full = pool.take<PhaseBarrier>("halo_full", kGroupHalos), halo_empty = pool.take<PhaseBarrier>("halo_empty", kGroupHalos);
  const Shared<PhaseBarrier> weight_full = pool.take<PhaseBarrier>("weight_full", kGroupStages);
  const Shared<PhaseBarrier> weight_empty = pool.take<PhaseBarrier>("weight_empty", kGroupStages);
  const int bands = group_bands(p.conv.out_channels, outputs);
  const Tile tile(p, bands);
  if (threadIdx.x == 0) {
    for (int i = 0; i < kGroupHalos; ++i) {
      barrier_init(halo_full, i, kHaloThreads);
      barrier_init(halo_empty, i, 2 * kWarpgroup / 32);
    }
    for (int i = 0; i < kGroupStages; ++i) {
      barrier_init(weight_full, i, 1);
      barrier_init(weight_empty, i, 2 * kWarpgroup / 32);
    }
    fence_async_proxy();
  }
  find_places(p, tile, false, places, 0);
  if (p.skip_steps > 0) find_places(p, tile, true, places, kGroupPixels);
  sync_block();

  // A unit is one tap of one step.
  const int taps = p.side * p.side, units = p.steps * taps + p.skip_steps, steps = p.steps + p.skip_steps;
  const int group = static_cast<int>(threadIdx.x) / kWarpgroup - 1, lane = static_cast<int>(threadIdx.x) % 32;
  if (group < 0) {
    give_registers<bringing(outputs)>();
    if (threadIdx.x < kHaloThreads) {
      const ConvVectors in(p.conv);
      for (int step = 0; step < steps; ++step) {
        const bool skip = step >= p.steps;
        const int stage = step % kGroupHalos;
        barrier_wait(halo_empty, stage, step / kGroupHalos % 2 ^ 1);
        bring_halo(p, in, tile, skip, skip ? step - p.steps : step, places, halos, stage);
        fence_async_proxy();
        barrier_arrive(halo_full, stage);
      }
    } else if (lane == 0) {
      const Global<const Bf16> from(p.weight);
      const std::int64_t first = (std::int64_t{1} * tile.phase * bands + tile.band) * units;
      for (int unit = 0; unit < units; ++unit) {
        const int stage = unit % kGroupStages;
        barrier_wait(weight_empty, stage, unit / kGroupStages % 2 ^ 1);
        barrier_arrive_expecting(weight_full, stage, group_weights(outputs) * 2);
        copy_bulk(weights, stage * group_weights(outputs), from, (first + unit) * group_weights(outputs), group_weights(outputs), weight_full, stage);
      }
    }
    return;
  }

  take_registers<multiplying(outputs)>();
  Sums<outputs> sums[2];
  const std::uint64_t weight_strides = matrix_strides(outputs * 16, 128);
  int unit = 0, stage = 0, free_halo = -1;
  std::uint32_t phase = 0;
  for (int step = 0; step < steps; ++step) {
    const bool skip = step >= p.steps;
    const Halo halo(p, skip);
    const std::uint64_t strides = matrix_strides(kGroupPlane * 16, halo.wide * 16);
    const int buffer = step % kGroupHalos;
    std::uint64_t pixels[2];
#pragma unroll
    for (int m = 0; m < 2; ++m) pixels[m] = matrix_at(halos, buffer * kGroupHalo + halo.start(2 * group + m) * 8, strides);
    barrier_wait(halo_full, buffer, step / kGroupHalos % 2);
    for (int y = 0; y < halo.side; ++y) {
      for (int x = 0; x < halo.side; ++x, ++unit) {
        barrier_wait(weight_full, stage, static_cast<int>(phase));
        multiply_tap(sums, pixels, matrix_at(weights, stage * group_weights(outputs), weight_strides), y * halo.wide + x, unit > 0);
        wgmma_wait<1>();  // the unit before is done: what it read may be filled again
        if (lane == 0 && unit > 0) {
          barrier_arrive(weight_empty, (stage + kGroupStages - 1) % kGroupStages);
          if (free_halo >= 0) barrier_arrive(halo_empty, free_halo);
        }
        free_halo = -1;
        if (++stage == kGroupStages) stage = 0, phase ^= 1u;
      }
    }
    free_halo = buffer;
  }
  wgmma_wait<0>();
#pragma unroll
  for (int m = 0; m < 2; ++m) store_patch(p, tile, tile.patch(p, 2 * group + m), sums[m], moments, group);
}

}  // namespace

DC_KERNEL_RESIDENT(group_conv_64, GroupConvParams, kGroupThreads, 1) { convolve<64>(p); }
DC_KERNEL_RESIDENT(group_conv_96, GroupConvParams, kGroupThreads, 1) { convolve<96>(p); }
DC_KERNEL_RESIDENT(group_conv_128, GroupConvParams, kGroupThreads, 1) { convolve<128>(p); }

#endif

}  // namespace diffcert
