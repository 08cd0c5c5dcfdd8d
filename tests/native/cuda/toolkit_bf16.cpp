// CUDA's own conversion to bf16, where its headers are; test_ptx compares.
#include <cstdint>

#if __has_include(<cuda_bf16.h>)
#include <cuda_bf16.h>
#endif

std::uint16_t toolkit_bf16(float value, bool& there) {
#if __has_include(<cuda_bf16.h>)
  there = true;
  return __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
  there = false;
  return static_cast<std::uint16_t>(value != value);
#endif
}
