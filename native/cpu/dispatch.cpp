// Which table of kernels runs: the best that the processor has, or the one asked for.
#include <cstring>
#include <string>

#include "core/status.hpp"
#include "cpu/kernels.hpp"

namespace diffcert::cpu {
namespace {

bool has_avx2() {
#if defined(DIFFCERT_X86)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(DIFFCERT_X86)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && has_avx2();
#else
  return false;
#endif
}

}  // namespace

const Kernels& choose_kernels(const char* isa) {
  const std::string name = isa ? isa : "";
#if defined(DIFFCERT_X86)
  if ((name.empty() || name == "avx512") && has_avx512()) return kernels_avx512();
  if ((name.empty() || name == "avx2") && has_avx2()) return kernels_avx2();
#endif
  if (name.empty() || name == "portable") return kernels_portable();
  if (name == "avx2" || name == "avx512") {
    throw Error(DC_DEVICE_UNAVAILABLE, "This processor has no " + std::string(name == "avx2" ? "AVX2" : "AVX-512") + ".");
  }
  throw Error(DC_BAD_ARGUMENT, "Instruction set \"" + name + "\" is unknown; use portable, avx2 or avx512.");
}

}  // namespace diffcert::cpu
