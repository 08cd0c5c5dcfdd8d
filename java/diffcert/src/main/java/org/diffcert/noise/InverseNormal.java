package org.diffcert.noise;

/**
 * The standard normal quantile of a 64-bit uniform, with the same bits in Java, C++ and CUDA: float64 with + - * / and
 * the square root only, each of which IEEE 754 rounds correctly, and a logarithm of our own. No fused operation, no
 * library function.
 *
 * <p>The uniform u stands for the cell [u, u+1) / 2^64 and is read at its middle. The result is odd in the cell:
 * {@code of(~u) == -of(u)}. The quantile is Wichura's algorithm AS 241 (PPND16); the error of the result against the
 * exact quantile of the cell's middle is at most {@link #EVALUATION_ERROR} (docs/spec/noise.md says how that is known).
 * Stateless, thread-safe.
 */
public final class InverseNormal {
  /** Bound on |computed - exact quantile of the cell's middle|, for every one of the 2^64 arguments. */
  public static final double EVALUATION_ERROR = 0x1p-44;

  private static final double TWO_TO_MINUS_64 = 0x1p-64;
  private static final double SQRT_HALF = 0.70710678118654752440;
  // ln 2 = LN2_HIGH + LN2_LOW; the high part has 21 trailing zero bits, so that its product with an exponent is exact.
  private static final double LN2_HIGH = 0x1.62e42feep-1;
  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  // AS 241: numerators and denominators of the three ranges, highest power first.
  private static final double[] CENTRAL_N = {
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
    1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0
  };
  private static final double[] CENTRAL_D = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0
  };
  private static final double[] OUTER_N = {
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
    3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0
  };
  private static final double[] OUTER_D = {
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0
  };
  private static final double[] FAR_N = {
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0
  };
  private static final double[] FAR_D = {
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0
  };
  private static final double[] INVERSE_ODD = {
    1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0
  };

  private InverseNormal() {}

  /**
   * The quantile.
   *
   * @param u the uniform, read as unsigned
   * @return a value of absolute value below 9.3
   */
  public static double of(long u) {
    boolean upper = u < 0;
    // Position in the lower half of [0, 1): 0 is the far tail, 2^63 - 1 is next to the median.
    long tail = upper ? ~u : u;
    // Distance from the median, as exactly as float64 has it.
    double q = ((double) (Long.MAX_VALUE - tail) + 0.5) * TWO_TO_MINUS_64;
    double z = q <= 0.425 ? central(q) : outer(((double) tail + 0.5) * TWO_TO_MINUS_64);
    return upper ? z : -z;
  }

  private static double central(double q) {
    double r = 0.180625 - q * q;
    return q * polynomial(CENTRAL_N, r) / polynomial(CENTRAL_D, r);
  }

  private static double outer(double p) {
    double r = Math.sqrt(minusLog(p));
    return r <= 5.0
        ? polynomial(OUTER_N, r - 1.6) / polynomial(OUTER_D, r - 1.6)
        : polynomial(FAR_N, r - 5.0) / polynomial(FAR_D, r - 5.0);
  }

  private static double polynomial(double[] coefficients, double r) {
    double value = coefficients[0];
    for (int i = 1; i < coefficients.length; i++) {
      value = value * r + coefficients[i];
    }
    return value;
  }

  /**
   * -ln p for a normal p in (0, 1): p = m * 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh(s) with s = (m - 1) /
   * (m + 1), whose Taylor series to s^21 errs by less than 2^-56.
   */
  static double minusLog(double p) {
    long bits = Double.doubleToRawLongBits(p);
    int exponent = (int) (bits >>> 52) - 1022;
    double m = Double.longBitsToDouble((bits & 0x000fffffffffffffL) | 0x3fe0000000000000L);
    if (m < SQRT_HALF) {
      m = m + m;
      exponent = exponent - 1;
    }
    double s = (m - 1.0) / (m + 1.0);
    double t = s * s;
    double series = t / 21.0;
    for (double inverse : INVERSE_ODD) {
      series = (series + inverse) * t;
    }
    double logOfM = 2.0 * s + 2.0 * s * series;
    return -(exponent * LN2_HIGH + (exponent * LN2_LOW + logOfM));
  }
}
