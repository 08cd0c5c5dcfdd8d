// Clocks and medians of the benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/thread_pool.hpp"
#include "cpu/kernels.hpp"

namespace diffcert::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); }

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The fma units at work on all threads together: what 100 % means.
inline double peak_gflops(const cpu::Kernels& kernels, int threads) {
  ThreadPool pool(threads);
  std::vector<double> rates;
  for (int repeat = 0; repeat < 7; ++repeat) {
    std::vector<double> flops(static_cast<std::size_t>(pool.threads()));
    const auto start = Clock::now();
    pool.run([&](int thread) {
      float sink[2] = {0.999f, 0.001f};
      flops[static_cast<std::size_t>(thread)] = kernels.peak(10'000'000, sink);
    });
    double sum = 0;
    for (const double f : flops) sum += f;
    rates.push_back(sum / seconds_since(start) * 1e-9);
  }
  return median(rates);
}

}  // namespace diffcert::bench
