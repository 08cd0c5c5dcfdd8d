// What kernels do with the registers of an mma.
#pragma once

#include "kernels/device.cuh"
#include "kernels/feature.cuh"

namespace diffcert {

// Of a row of C, four lanes hold a pair each of every eight columns: from four such groups, lane i of the four gets all of group i, which is 16
// bytes of bf16 side by side.
DC_DEVICE Eight turned(float (&pair)[4][2], int lane) {
#pragma unroll
  for (int by = 1; by <= 2; by *= 2) {
    const bool odd = (lane & by) != 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if ((j & by) != 0) continue;
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const float got = shuffle_xor(odd ? pair[j][i] : pair[j + by][i], by);
        if (odd) pair[j][i] = got;
        else pair[j + by][i] = got;
      }
    }
  }
  return {{pair[0][0], pair[0][1], pair[1][0], pair[1][1], pair[2][0], pair[2][1], pair[3][0], pair[3][1]}};
}

}  // namespace diffcert
