// Whole networks on the CPU device: near the float64 reference, and the same bits for a row in every batch, at every place, with
// every number of threads, on every instruction set.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "bench/networks.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "cpu/kernels.hpp"

using namespace diffcert;

namespace {

constexpr std::int64_t kRows = 13;

struct Inputs {
  std::vector<float> image, noise;
  std::vector<std::int32_t> labels;
};

std::vector<float> run(const dc_network_config& config, const Inputs& in, const std::string& device, int threads,
                       const std::string& isa, const std::vector<std::int64_t>& batches) {
  Network network(validate(config), device, threads, isa);
  bench::set_random_weights(network);
  std::int64_t largest = 0, first = 0;
  for (const std::int64_t batch : batches) largest = std::max(largest, batch);
  network.finish(largest);
  const std::int64_t in_row = network.config().image_elements();
  const std::int64_t out_row = in_row / network.config().img_channels * network.config().out_channels();
  std::vector<float> out(static_cast<std::size_t>(kRows * out_row));
  for (const std::int64_t batch : batches) {
    network.network(batch, in.noise.data() + first, in.labels.data() + first, in.image.data() + first * in_row,
                    out.data() + first * out_row);
    first += batch;
  }
  CHECK(first == kRows);
  return out;
}

void check_network(const bench::NamedConfig& named) {
  const NetworkConfig config = validate(named.config);
  Inputs in{bench::random_floats(kRows * config.image_elements(), 11), bench::random_floats(kRows, 12), {}};
  for (std::int64_t row = 0; row < kRows; ++row) {
    in.labels.push_back(config.label_dim == 0 || row % 5 == 4 ? -1 : static_cast<std::int32_t>(row) % config.label_dim);
  }
  const std::vector<float> whole = run(named.config, in, "cpu", 2, "", {kRows});

  const std::vector<float> reference = run(named.config, in, "reference", 1, "", std::vector<std::int64_t>(kRows, 1));
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    difference += std::pow(static_cast<double>(whole[i]) - static_cast<double>(reference[i]), 2);
    size += std::pow(static_cast<double>(reference[i]), 2);
  }
  CHECK(size > 0);
  CHECK(std::sqrt(difference / size) < 1e-5) << named.name << ": relative error " << std::sqrt(difference / size);

  const auto same = [&](int threads, const std::string& isa, const std::vector<std::int64_t>& batches) {
    const std::vector<float> other = run(named.config, in, "cpu", threads, isa, batches);
    CHECK(std::memcmp(other.data(), whole.data(), whole.size() * sizeof(float)) == 0)
        << named.name << ": " << threads << " threads, isa \"" << isa << "\", first batch " << batches.front();
  };
  same(1, "", {kRows});
  same(3, "", {1, 2, 3, 7});
  same(1, "", {7, 5, 1});
  same(2, "", {4, 9});
  same(2, "portable", {6, 7});
  for (const char* isa : {"avx2", "avx512"}) {
    try {
      cpu::choose_kernels(isa);
    } catch (const Error&) {
      continue;  // this machine lacks it
    }
    same(2, isa, {6, 7});
  }
}

}  // namespace

int main() {
  for (const auto& named : bench::small_networks()) check_network(named);
  return check::finish();
}
