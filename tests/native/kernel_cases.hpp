// A case of the op table under the emulator: against the float64 reference in two orders of threads, and in several batches.
#pragma once

#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "bench/op_cases.hpp"
#include "check.hpp"

namespace kernel_cases {

using namespace diffcert;

inline void order(int seed) { setenv("DIFFCERT_EMULATOR_SEED", std::to_string(seed).c_str(), 1); }

inline void check_case(const bench::OpCase& c, const char* form) {
  order(0);
  const std::vector<double> expected = bench::run_reference(c);
  const std::vector<float> actual = bench::run_case(c, *make_device_executor(c.plan, "emulator", form));
  const double bound = bench::tolerance(c) + (form == std::string("bf16") ? bench::kBf16Tolerance : 0);
  for (const BufferId buffer : c.written) {
    const double error = bench::relative_error(c, buffer, actual, expected);
    CHECK(error <= bound) << c.name << " in " << form << ", buffer " << buffer << ": " << error << " of " << bound;
  }
  order(7);
  const std::vector<float> again = bench::run_case(c, *make_device_executor(c.plan, "emulator", form));
  CHECK(std::memcmp(again.data(), actual.data(), actual.size() * sizeof(float)) == 0) << c.name << ": another order of threads shows";
}

// A row has the same bits alone, among three and among seventeen, at any place.
inline void check_batches(const bench::OpCase& c, const char* form) {
  std::vector<int> all(17);
  std::iota(all.begin(), all.end(), 0);
  order(0);
  const auto expected = bench::run_batch(c, *make_device_executor(c.plan, "emulator", form), all);
  order(5);
  for (const std::vector<int>& some : {std::vector<int>{16, 3, 0}, std::vector<int>{9}, std::vector<int>{0}}) {
    const auto actual = bench::run_batch(c, *make_device_executor(c.plan, "emulator", form), some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      CHECK(std::memcmp(actual[i].data(), expected[static_cast<std::size_t>(some[i])].data(), actual[i].size() * sizeof(float)) == 0)
          << c.name << " in " << form << ": the batch shows in sample " << some[i] << " of " << some.size();
    }
  }
}

// Multiply-adds of a case, or so: what it costs under the emulator.
inline std::int64_t work(const bench::OpCase& c) {
  std::int64_t written = 0;
  for (const BufferId id : c.written) written += c.plan.buffers[static_cast<std::size_t>(id)].elements;
  return written * c.depth;
}

}  // namespace kernel_cases
