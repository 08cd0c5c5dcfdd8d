// The emulated instructions and number formats: bf16 against its definition and, where CUDA's headers are, against theirs; a product by
// ldmatrix and mma against sums in double.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "kernels/device.cuh"
#include "kernels/ptx.cuh"

using namespace diffcert;

// In a file of its own, since CUDA's headers define CUDA's names.
std::uint16_t toolkit_bf16(float value, bool& there);

namespace {

void check_bf16() {
  std::uint32_t state = 1;
  bool there = false;
  int different = 0, wrong = 0;
  const auto look = [&](std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    const Bf16 own = to_bf16(value);
    const std::uint16_t theirs = toolkit_bf16(value, there);
    if (there && own.bits != theirs) ++different;
    if (std::isfinite(value) && std::fabs(value) < 3e38f && std::fabs(value) > 1e-37f) {
      // At most half a unit of the 8th bit away.
      if (std::fabs(to_float(own) - value) > std::ldexp(std::fabs(value), -8)) ++wrong;
    }
  };
  for (int i = 0; i < 1000000; ++i) look(state = state * 1664525u + 1013904223u);
  for (const std::uint32_t edge : {0u, 0x80000000u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7f800001u, 0x7f7fffffu, 0x3f808000u, 0x3f818000u, 1u, 0x00008000u}) look(edge);
  CHECK(different == 0) << different << " conversions differ from the toolkit's";
  CHECK(wrong == 0);
  CHECK(to_bf16(1.00390625f).bits == 0x3f80 && to_bf16(1.01171875f).bits == 0x3f82) << "ties go to even";
  std::printf("bf16: %s\n", there ? "compared with the toolkit's" : "no CUDA headers to compare with");
  CHECK(as_float(to_tf32(1.0f + 0x1p-11f)) == 1.0f + 0x1p-10f && as_float(to_tf32(1.0f + 0x1p-12f)) == 1.0f);
}

struct ProductParams {
  Span<const float> a, b;  // [16][16], [16][8]
  Span<float> bf16, tf32;  // [16][8]
};

DC_KERNEL(product, ProductParams, 32) {
  SharedPool pool;
  const Shared<Bf16> a = pool.take<Bf16>("a", 256), b = pool.take<Bf16>("b", 256);
  const Global<const float> ga(p.a), gb(p.b);
  const int lane = static_cast<int>(threadIdx.x), group = lane / 4, id = lane % 4;
  for (int i = lane; i < 256; i += 32) a[i] = to_bf16(ga[i]);
  // b by rows of 16 columns, the last eight zero: ldmatrix.trans turns rows into what mma takes by columns.
  for (int i = lane; i < 256; i += 32) b[i] = to_bf16(i % 16 < 8 ? static_cast<float>(gb[i / 16 * 8 + i % 16]) : 0.0f);
  sync_warp();
  std::uint32_t fa[4], fb[4];
  load_matrix(fa, a, lane % 16 * 16 + lane / 16 * 8);
  load_matrix_transposed(fb, b, lane % 16 * 16 + lane / 16 * 8);
  float c[4] = {}, d[4] = {};
  multiply_bf16(c, fa, fb[0], fb[1]);
  for (int k = 0; k < 16; k += 8) {
    const std::uint32_t ta[4] = {to_tf32(ga[group * 16 + k + id]), to_tf32(ga[(group + 8) * 16 + k + id]), to_tf32(ga[group * 16 + k + id + 4]),
                                 to_tf32(ga[(group + 8) * 16 + k + id + 4])};
    multiply_tf32(d, ta, to_tf32(gb[(k + id) * 8 + group]), to_tf32(gb[(k + id + 4) * 8 + group]));
  }
  const Global<float> bf16(p.bf16), tf32(p.tf32);
  for (int i = 0; i < 4; ++i) {
    const int at = (group + i / 2 * 8) * 8 + 2 * id + i % 2;
    bf16[at] = c[i];
    tf32[at] = d[i];
  }
}

void check_product() {
  auto* memory = static_cast<float*>(emulator::allocate_global(640 * sizeof(float)));
  float *a = memory, *b = memory + 256, *bf16 = memory + 384, *tf32 = memory + 512;
  std::uint32_t state = 5;
  for (int i = 0; i < 384; ++i) a[i] = static_cast<float>(static_cast<std::int32_t>(state = state * 1664525u + 1013904223u)) * 0x1p-31f;
  const ProductParams params{{a, 256}, {b, 128}, {bf16, 128}, {tf32, 128}};
  const auto fault = emulator::run({"product", [](const void* p) { product(*static_cast<const ProductParams*>(p)); }, &params, {1, 1, 1}, {32, 1, 1}, 1024, 2});
  CHECK(!fault) << (fault ? fault->text : "");
  double worst_bf16 = 0, worst_tf32 = 0;
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      double exact_bf16 = 0, exact_tf32 = 0;
      for (int k = 0; k < 16; ++k) {
        exact_bf16 += static_cast<double>(to_float(to_bf16(a[row * 16 + k]))) * static_cast<double>(to_float(to_bf16(b[k * 8 + column])));
        exact_tf32 += static_cast<double>(as_float(to_tf32(a[row * 16 + k]))) * static_cast<double>(as_float(to_tf32(b[k * 8 + column])));
      }
      worst_bf16 = std::max(worst_bf16, std::fabs(static_cast<double>(bf16[row * 8 + column]) - exact_bf16));
      worst_tf32 = std::max(worst_tf32, std::fabs(static_cast<double>(tf32[row * 8 + column]) - exact_tf32));
    }
  }
  // The sums are below 8: one rounding of bf16's, two of tf32's.
  CHECK(worst_bf16 <= 0x1p-22) << worst_bf16;
  CHECK(worst_tf32 <= 0x1p-21) << worst_tf32;
  emulator::free_global(memory);
}

}  // namespace

int main() {
  check_bf16();
  check_product();
  return check::finish();
}
