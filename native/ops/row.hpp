// What a device is told of the rows of votes that it makes and judges itself: plain numbers, the same bytes for host and kernels.
#pragma once

#include <cstdint>

namespace diffcert {

// A noise level u with everything that its rows share; the numbers are the host's, in float64.
//   x_u = centre + spread e, the network's input c_in x_u, D = c_skip x_u + c_out F
struct RowLevel {
  double spread, c_in, c_skip, c_out, noise_label;
  double of_denoised, of_upper;  // epndc: m_p = of_denoised D + of_upper x_u
  std::uint32_t position;        // keys the noise e (NoiseStream::level)
  std::int32_t base;             // x_u starts from the position at this tau; the taus up to it read the row
};

// epndc, a (level, tau): m_q = of_position x_tau + of_upper x_u.
struct PosteriorMix {
  double of_position, of_upper;
};

struct Row {
  std::int32_t level;   // index into the levels it is given with
  std::int32_t sample;  // of the staged samples
  std::int32_t label;   // -1: none
  std::int32_t place;   // where its residuals go, where they are kept for votes
};

}  // namespace diffcert
