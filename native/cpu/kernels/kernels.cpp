// One instruction set's table of kernels. CMake compiles this file once for each, with DIFFCERT_ISA as the name. Everything it
// includes lies in an unnamed namespace, so that the linker cannot put one instruction set's code in another's place.
#include "cpu/kernels.hpp"

#include "cpu/kernels/backward.hpp"
#include "cpu/kernels/gemm.hpp"
#include "cpu/kernels/peak.hpp"
#include "cpu/kernels/pointwise.hpp"
#include "cpu/kernels/winograd.hpp"

#define DIFFCERT_JOIN2(a, b) a##b
#define DIFFCERT_JOIN(a, b) DIFFCERT_JOIN2(a, b)
#define DIFFCERT_TEXT2(a) #a
#define DIFFCERT_TEXT(a) DIFFCERT_TEXT2(a)

namespace diffcert::cpu {

const Kernels& DIFFCERT_JOIN(kernels_, DIFFCERT_ISA)() {
  static constexpr Kernels kTable{DIFFCERT_TEXT(DIFFCERT_ISA), gemm_as<false>, gemm_as<true>, activate, winograd_input, winograd_output, winograd_gradient, finish_rows,
                                  statistics,                  softmax,    silu,     add,            axpy,            mean4,
                                  pull,                        pull_sums,  softmax_backward, peak};
  return kTable;
}

}  // namespace diffcert::cpu
