// A case of the op table under the emulator: against the float64 reference in two orders of threads, and in several batches; a whole network likewise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "bench/networks.hpp"
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

// The gradient of a weight over seventeen rows: near float64; the same bits however the rows are cut into batches, in every order of threads.
inline void check_learning(const bench::OpCase& c, const char* form) {
  std::vector<int> all(17);
  std::iota(all.begin(), all.end(), 0);
  const auto of = [&](const std::vector<std::int64_t>& batches, int seed) {
    order(seed);
    const auto executor = make_device_executor(c.plan, "emulator", form);
    bench::give_case(c, *executor, 17);
    std::int64_t first = 0;
    for (const std::int64_t batch : batches) {
      bench::run_rows(c, *executor, {all.begin() + first, all.begin() + first + batch});
      first += batch;
    }
    return bench::learnt(c, *executor);
  };
  const std::vector<double> whole = of({17}, 0);
  bench::OpCase long_sum = c;
  long_sum.depth *= 17;
  const double error = bench::relative_error(whole, bench::learnt_by_reference(c, all));
  const double bound = bench::tolerance(long_sum) + (form == std::string("bf16") ? bench::kBf16Tolerance : 0);
  CHECK(error <= bound) << c.name << " in " << form << ": " << error << " of " << bound;
  CHECK(of({3, 1, 13}, 5) == whole) << c.name << " in " << form << ": the batch or the order of threads shows";
}

// Multiply-adds of a case, or so: what it costs under the emulator.
inline std::int64_t work(const bench::OpCase& c) {
  std::int64_t written = 0;
  for (const BufferId id : c.written) written += c.plan.buffers[static_cast<std::size_t>(id)].elements;
  return written * c.depth;
}

inline constexpr std::int64_t kRows = 5;

inline std::vector<float> run(const dc_network_config& config, const std::string& device, const std::string& form, const std::vector<std::int64_t>& batches) {
  Network network(validate(config), device, 1, form);
  bench::set_random_weights(network);
  const NetworkConfig& c = network.config();
  const std::int64_t in_row = c.image_elements(), out_row = in_row / c.img_channels * c.out_channels();
  const auto image = bench::random_floats(kRows * in_row, 11), noise = bench::random_floats(kRows, 12);
  std::vector<std::int32_t> labels;
  for (std::int32_t row = 0; row < kRows; ++row) labels.push_back(c.label_dim == 0 || row == 3 ? -1 : row % c.label_dim);
  std::int64_t largest = 0, first = 0;
  for (const std::int64_t batch : batches) largest = std::max(largest, batch);
  network.finish(largest);
  std::vector<float> out(static_cast<std::size_t>(kRows * out_row));
  for (const std::int64_t batch : batches) {
    network.network(batch, noise.data() + first, labels.data() + first, image.data() + first * in_row, out.data() + first * out_row);
    first += batch;
  }
  return out;
}

// bf16's bound: some thirty layers, each within kBf16Tolerance, whose errors add up as a random walk.
inline void check_network(const bench::NamedConfig& named, const std::string& form) {
  order(0);
  const std::vector<float> whole = run(named.config, "emulator", form, {kRows}), reference = run(named.config, "reference", "", {kRows});
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    difference += std::pow(static_cast<double>(whole[i]) - static_cast<double>(reference[i]), 2);
    size += std::pow(static_cast<double>(reference[i]), 2);
  }
  const double error = std::sqrt(difference / size), bound = form == "bf16" ? std::sqrt(30) * bench::kBf16Tolerance : 1e-5;
  CHECK(error < bound) << named.name << " in " << form << ": relative error " << error;
  order(3);
  const std::vector<float> parts = run(named.config, "emulator", form, {1, 3, 1});
  CHECK(std::memcmp(parts.data(), whole.data(), whole.size() * sizeof(float)) == 0)
      << named.name << " in " << form << ": the batch or the order of threads shows";
}

}  // namespace kernel_cases
