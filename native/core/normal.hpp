// The standard normal quantile of a 64-bit uniform, in float64 with + - * / and the square root alone. Every line has its twin in
// org.diffcert.noise, in the same order; the same source compiles for the host and for a GPU (nothing is fused there): the bits are equal.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/philox.hpp"

namespace diffcert::normal {

// Horner's rule, highest power first.
template <class... Rest>
DIFFCERT_BOTH double polynomial(double r, double first, Rest... rest) {
  double value = first;
  ((value = value * r + rest), ...);
  return value;
}

template <class... Rest>
DIFFCERT_BOTH double series_of(double t, double first, Rest... rest) {
  double value = first;
  ((value = (value + rest) * t), ...);
  return value;
}

// -ln p for a normal p in (0, 1): p = m * 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh(s) with s = (m - 1) / (m + 1) by Taylor's
// series; ln 2 = high + low, the high part with 21 trailing zero bits, so that its product with an exponent is exact.
DIFFCERT_BOTH double minus_log(double p) {
  std::uint64_t bits;
  memcpy(&bits, &p, sizeof bits);
  int exponent = static_cast<int>(bits >> 52) - 1022;
  bits = (bits & 0x000fffffffffffffull) | 0x3fe0000000000000ull;
  double m;
  memcpy(&m, &bits, sizeof m);
  if (m < 0.70710678118654752440) {
    m = m + m;
    exponent = exponent - 1;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double t = s * s;
  const double series =
      series_of(t, t / 21.0, 1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0);
  const double log_of_m = 2.0 * s + 2.0 * s * series;
  return -(exponent * 0x1.62e42feep-1 + (exponent * 0x1.a39ef35793c76p-33 + log_of_m));
}

// Wichura's algorithm AS 241 (PPND16), the half above the median; q is the distance from it.
DIFFCERT_BOTH double central(double q) {
  const double r = 0.180625 - q * q;
  return q *
         polynomial(r, 2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
                    1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0) /
         polynomial(r, 5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
                    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0);
}

// The same away from the median: p is the probability of the tail beyond.
DIFFCERT_BOTH double outer(double p) {
  const double r = sqrt(minus_log(p));
  if (r <= 5.0) {
    const double near = r - 1.6;
    return polynomial(near, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
                      3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0) /
           polynomial(near, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
                      6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0);
  }
  const double far = r - 5.0;
  return polynomial(far, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
                    2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0) /
         polynomial(far, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
                    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0);
}

// The quantile of the cell [u, u + 1) / 2^64, read at its middle.
DIFFCERT_BOTH double quantile(std::uint64_t u) {
  const bool upper = u >> 63 != 0;
  // Position in the lower half of [0, 1): 0 is the far tail, 2^63 - 1 is next to the median.
  const auto tail = static_cast<std::int64_t>(upper ? ~u : u);
  const double q = (static_cast<double>(INT64_MAX - tail) + 0.5) * 0x1p-64;
  const double z = q <= 0.425 ? central(q) : outer((static_cast<double>(tail) + 0.5) * 0x1p-64);
  return upper ? z : -z;
}

}  // namespace diffcert::normal
