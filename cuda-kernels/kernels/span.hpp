// What a launcher hands to a kernel: plain structs of numbers and Spans, the same bytes for nvcc, the emulator and the launcher.
#pragma once

#include <cstdint>

namespace diffcert {

// Device memory [data, data + count). The count is how the emulator knows a buffer's end; kernels on a GPU do not read it.
template <class T>
struct Span {
  T* data = nullptr;  // null: absent
  std::int64_t count = 0;
};

// A feature map in device memory: numbers in float32, or in bf16 in the form of that name. Kernels reach it through feature.cuh.
struct FeatureSpan {
  void* data = nullptr;    // null: absent
  std::int64_t count = 0;  // numbers
  bool half = false;       // bf16
};

}  // namespace diffcert
