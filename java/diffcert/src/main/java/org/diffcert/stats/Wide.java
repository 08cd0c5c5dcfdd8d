package org.diffcert.stats;

import java.math.BigDecimal;

/**
 * A positive number as the sum of two doubles times a power of two: some 31 digits, any size. Where 40-digit decimals
 * define a result, this finds it a hundred times faster: it is near enough to tell which double it is, almost always,
 * and to tell when it is not.
 *
 * <p>The operations are those of double-word arithmetic with a fused multiply-add (Joldes, Muller and Popescu 2017);
 * each has a relative error below {@link #ERROR}, with room for the roundings of ours. Mutable; for one thread.
 */
final class Wide {
  /** 2^-100: more than the relative error of any one operation, which is at most 15 * 2^-106. */
  static final double ERROR = 0x1p-100;
  private static final double TINY = 0x1p-300;
  private static final double HUGE = 0x1p300;

  private double high;
  private double low;
  private long exponent;

  /** The sum of two doubles of which the second is at most half a unit in the last place of the first. */
  Wide(double high, double low) {
    this.high = high;
    this.low = low;
    fit();
  }

  Wide(double value) {
    this(value, 0.0);
  }

  /** A copy. */
  Wide(Wide other) {
    high = other.high;
    low = other.low;
    exponent = other.exponent;
  }

  /** From what {@link WideTable} keeps. */
  Wide(double high, double low, long exponent) {
    this.high = high;
    this.low = low;
    this.exponent = exponent;
  }

  /** The nearest there is, a relative 2^-106 or less away if the value is no smaller than 1e-200. */
  static Wide of(BigDecimal value) {
    double high = value.doubleValue();
    return new Wide(high, value.subtract(new BigDecimal(high)).doubleValue());
  }

  /** 1 - p, exactly, for a p from 0 to 1. */
  static Wide oneMinus(double p) {
    double high = 1 - p;
    double part = high - 1;
    return new Wide(high, (1 - (high - part)) + (-p - part));
  }

  double high() {
    return high;
  }

  double low() {
    return low;
  }

  long exponent() {
    return exponent;
  }

  Wide times(Wide other) {
    double product = high * other.high;
    double rest = Math.fma(high, other.high, -product) + (high * other.low + low * other.high);
    set(product, rest);
    exponent += other.exponent;
    fit();
    return this;
  }

  Wide times(double factor) {
    double product = high * factor;
    set(product, Math.fma(high, factor, -product) + low * factor);
    fit();
    return this;
  }

  Wide over(double divisor) {
    double quotient = high / divisor;
    set(quotient, (Math.fma(-quotient, divisor, high) + low) / divisor);
    fit();
    return this;
  }

  Wide over(Wide divisor) {
    double quotient = high / divisor.high;
    double rest = Math.fma(-quotient, divisor.high, high) + (low - quotient * divisor.low);
    set(quotient, rest / divisor.high);
    exponent -= divisor.exponent;
    fit();
    return this;
  }

  /** Adds a number of any size up to 2^300 times this one. */
  Wide plus(Wide other) {
    long down = other.exponent - exponent;
    if (down < -2000) {
      return this; // below 2^-1000 of it
    }
    double scale = Math.scalb(1.0, (int) down);
    double b = other.high * scale;
    double sum = high + b;
    double part = sum - high;
    double rest = (high - (sum - part)) + (b - part);
    set(sum, rest + (low + other.low * scale));
    fit();
    return this;
  }

  /** The power, by squaring: a relative error below 4 (exponent + 1) {@link #ERROR}. */
  Wide power(int times) {
    Wide square = new Wide(this);
    set(1, 0);
    exponent = 0;
    for (int rest = times; rest > 0; rest >>= 1) {
      if ((rest & 1) == 1) {
        times(square);
      }
      square.times(square);
    }
    return this;
  }

  /** The natural logarithm, as near as doubles come. */
  double log() {
    return Math.log(high) + exponent * Math.log(2);
  }

  /** This minus 1, to a relative 2^-52 of the difference; large or tiny numbers give what a double can hold. */
  double minusOne() {
    int by = (int) Math.max(-2000, Math.min(2000, exponent));
    double h = Math.scalb(high, by);
    return (h - 1) + Math.scalb(low, by);
  }

  private void set(double sum, double rest) {
    high = sum + rest;
    low = rest - (high - sum);
  }

  private void fit() {
    if (high < TINY || high > HUGE) {
      int by = Math.getExponent(high);
      high = Math.scalb(high, -by);
      low = Math.scalb(low, -by);
      exponent += by;
    }
  }
}
