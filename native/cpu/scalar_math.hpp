// exp, sin and cos in double from IEEE operations alone: a C library's differ in the last bit from one machine to the next, and
// the embedding of the noise level must not. Errors stay below 1e-15 relative (exp) and absolute (sin, cos for |x| <= 1e5): far
// below the float that they are rounded to.
#pragma once

#include <cmath>
#include <cstdint>

namespace diffcert::cpu {

// x in [-700, 700].
inline double exact_exp(double x) {
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  double r = std::fma(n, -6.93147180369123816490e-01, x);
  r = std::fma(n, -1.90821492927058770002e-10, r);
  double p = 1.0;
  for (int k = 17; k >= 1; --k) p = std::fma(p, r / k, 1.0);
  return std::ldexp(p, static_cast<int>(n));
}

// cos(x) and sin(x): x - n pi/2 in three parts, then Taylor series on [-pi/4, pi/4].
inline void exact_cos_sin(double x, double& cosine, double& sine) {
  const double n = std::floor(x * 0.63661977236758134 + 0.5);
  double r = std::fma(n, -1.57079632673412561417e+00, x);
  r = std::fma(n, -6.07710050630396597660e-11, r);
  r = std::fma(n, -2.02226624879595063154e-21, r);
  const double z = r * r;
  double c = 1.0, s = 1.0;
  for (int k = 20; k >= 2; k -= 2) {
    c = std::fma(c, -z / (k * (k - 1)), 1.0);
    s = std::fma(s, -z / (k * (k + 1)), 1.0);
  }
  s = s * r;
  switch (static_cast<std::int64_t>(n) & 3) {
    case 0: cosine = c, sine = s; break;
    case 1: cosine = -s, sine = c; break;
    case 2: cosine = -c, sine = -s; break;
    default: cosine = s, sine = -c; break;
  }
}

}  // namespace diffcert::cpu
