// The CUDA kernels under the emulator: every case of the op table against the float64 reference, in several orders of threads; whole
// networks near the reference, and the same bits for a row in every batch, at every place, in every order.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "bench/op_cases.hpp"
#include "check.hpp"
#include "core/status.hpp"

using namespace diffcert;

namespace {

void order(int seed) { setenv("DIFFCERT_EMULATOR_SEED", std::to_string(seed).c_str(), 1); }

void check_case(const bench::OpCase& c, const char* form) {
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

constexpr std::int64_t kRows = 5;

std::vector<float> run(const dc_network_config& config, const std::string& device, const std::string& form, const std::vector<std::int64_t>& batches) {
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
void check_network(const bench::NamedConfig& named, const std::string& form) {
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

// A batch that does not fit the device (64 MiB under the emulator) is halved until it does, and does not show.
void check_out_of_memory() {
  order(0);
  constexpr std::int64_t kLarge = 16384;
  const bench::OpCase c = bench::op_cases().front();
  const std::vector<float> expected = bench::run_case(c, *make_device_executor(c.plan, "emulator", ""));
  Plan plan = c.plan;
  plan.arena_elements = 2000;
  const auto executor = make_device_executor(plan, "emulator", "");
  for (std::size_t w = 0; w < c.weights.size(); ++w) executor->set_weight(static_cast<WeightId>(w), c.weights[w]);
  executor->prepare(kLarge);
  CHECK(executor->arena_bytes() < 80 << 20 && executor->arena_bytes() > 16 << 20) << executor->arena_bytes();
  std::vector<float> out(c.image.size());
  const float label = 0.75f;
  executor->run(1, c.image.data(), &label, nullptr, out.data());
  CHECK(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)) == 0);
}

void check_refusals() {
  const Plan plan = bench::op_cases().front().plan;
  try {
    make_device_executor(plan, "cuda:7", "");
    std::puts("this machine has eight GPUs");
  } catch (const Error& e) {
    CHECK(e.status == DC_DEVICE_UNAVAILABLE) << e.what();
    CHECK(std::string(e.what()).rfind("The device 'cuda:7' is not there: ", 0) == 0) << e.what();
  }
  try {
    make_device_executor(plan, "emulator", "fp8");
    CHECK(false) << "a form that there is not";
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "The device 'emulator' computes in fp32 or bf16, not in 'fp8'.") << e.what();
  }
  try {
    make_device_executor(plan, "gpu", "");
    CHECK(false) << "a device that there is not";
  } catch (const Error& e) {
    CHECK(e.status == DC_BAD_ARGUMENT) << e.what();
  }
}

}  // namespace

int main() {
  for (const bench::OpCase& c : bench::op_cases()) {
    check_case(c, "fp32");
    if (std::holds_alternative<ConvOp>(c.plan.ops.front())) check_case(c, "bf16");
  }
  for (const auto& named : bench::small_networks()) check_network(named, "fp32");
  check_network(bench::small_networks().front(), "bf16");
  check_out_of_memory();
  check_refusals();
  return check::finish();
}
