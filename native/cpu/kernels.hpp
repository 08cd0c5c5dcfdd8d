// The inner loops of the CPU device, one table of them for each instruction set; the rest of the device is compiled once.
//
// Every kernel gives the same bits in every table: a value is one chain of IEEE operations whose order is written in the source
// (multiply-adds fused only where the source says fma), lanes are independent output elements, and sums over lanes go through a
// fixed tree of 16. What an instruction set changes is how many lanes a register holds, nothing else.
//
// Strides count floats. Pointers need no alignment. Channel counts need not be multiples of 16.
#pragma once

#include <cstdint>

namespace diffcert::cpu {

inline constexpr std::int64_t kLanes = 16;      // width of a packed panel and of every fixed tree
inline constexpr std::int64_t kWinograd = 36;   // products of F(4x4,3x3): a 6 x 6 tile

inline std::int64_t panels(std::int64_t columns) { return (columns + kLanes - 1) / kLanes; }

// What one pixel's store does: out = scale * (value + bias [+ prior] [+ residual]); prior is what out held before.
struct Finish {
  const float* bias = nullptr;      // [channels], never null
  bool prior = false;
  const float* residual = nullptr;  // laid out as out, or null
  float scale = 1.0f;
};

// A row of pixels of what comes back through a load: dz = scale * gradient * silu'(a v + b) with v the source, both parts optional.
struct PullRow {
  const float* gradient = nullptr;
  std::int64_t gradient_stride = 0;
  float scale = 1.0f;
  const float* source = nullptr;  // there if a or silu is
  std::int64_t source_stride = 0;
  const float* a = nullptr;
  const float* b = nullptr;
  bool silu = false;
};

struct Kernels {
  const char* name;
  // c[m][n] = (accumulate ? c : 0) + sum over k, ascending, of a[m][k] b[k][n], one fma a term. b is packed:
  // [panels(n)][k][16], zero beyond n.
  void (*gemm)(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b, float* c,
               std::int64_t ldc, bool accumulate);
  // The same with a turned: a[k][m], lda between its k.
  void (*gemm_turned)(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b, float* c,
                      std::int64_t ldc, bool accumulate);
  // dst = v, a v + b, silu(v) or silu(a v + b): a may be null, and b with it.
  void (*activate)(std::int64_t pixels, std::int64_t channels, const float* src, std::int64_t src_stride, float* dst,
                   std::int64_t dst_stride, const float* a, const float* b, bool silu);
  // v[f * plane + c] = the 36 products' inputs of the 6 x 6 pixels at src; channels in multiples of 16.
  void (*winograd_input)(std::int64_t channels, const float* src, std::int64_t row, std::int64_t pixel, float* v,
                         std::int64_t plane);
  // The rows x columns (at most 4 x 4) outputs of one tile from its 36 products; residual lies as out does.
  void (*winograd_output)(std::int64_t channels, const float* m, std::int64_t plane, float* out, std::int64_t row,
                          std::int64_t pixel, int rows, int columns, const Finish& finish);
  // The 36 products' right sides of one tile of a weight's gradient, of 16 channels: v[f * plane + lane] from the rows x columns (at most 4 x 4)
  // pixels at src, zeros beyond.
  void (*winograd_gradient)(const float* src, std::int64_t row, std::int64_t pixel, int rows, int columns, float* v, std::int64_t plane);
  void (*finish)(std::int64_t pixels, std::int64_t channels, const float* value, std::int64_t value_stride, float* out,
                 std::int64_t out_stride, const Finish& finish);
  // mean[c], m2[c] over [height][width][stride], two passes: rows in float, their sums in double.
  void (*statistics)(std::int64_t height, std::int64_t width, std::int64_t channels, const float* in, std::int64_t stride,
                     float* mean, float* m2);
  // row = exp(scale * (row - max)) / sum, in place.
  void (*softmax)(std::int64_t count, float* row, float scale);
  void (*silu)(std::int64_t count, float* values);
  // out = scale * (a + b)
  void (*add)(std::int64_t count, const float* a, const float* b, float scale, float* out);
  // out = fma(factor, in, out)
  void (*axpy)(std::int64_t count, float factor, const float* in, float* out);
  // out = ((a + b) + (c + d)) / 4
  void (*mean4)(std::int64_t count, const float* a, const float* b, const float* c, const float* d, float* out);
  // out = [out +] (a dz [+ slope v + offset]); slope may be null, and offset with it.
  void (*pull)(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* slope, const float* offset, float* out,
               std::int64_t out_stride, bool accumulate);
  // centred[c] += sum of dz (v - mean[c]), plain[c] += sum of dz; the row's sums in float. Without a source plain alone.
  void (*pull_sums)(std::int64_t pixels, std::int64_t channels, const PullRow& in, const float* mean, double* centred, double* plain);
  // row = scale * weights * (row - sum(weights * row)), from a softmax's weights and what comes back to them.
  void (*softmax_backward)(std::int64_t count, const float* weights, float* row, float scale);
  // For benchmarks: multiply-adds in registers alone; returns how many FLOPs they were. sink: two floats, overwritten.
  double (*peak)(std::int64_t rounds, float* sink);
};

const Kernels& kernels_portable();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();

// "" = the best of this machine; throws Error when the machine lacks the one asked for or the name is unknown.
const Kernels& choose_kernels(const char* isa);

}  // namespace diffcert::cpu
