// One program checks and sanitizes a device of kernels (cuda, cuda:i, emulator) on the op table's cases.
//   diffcert-check-device DEVICE check      every case in fp32 and bf16, then small networks, there and back: against float64
//   diffcert-check-device DEVICE sanitize   every case once, for compute-sanitizer
// Exit code 1 when a case is out of its tolerance.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "bench/op_cases.hpp"
#include "core/status.hpp"
#include "kernels/bf16.cuh"

using namespace diffcert;

namespace {

int failures = 0;

void report(bool ok, const std::string& name, const char* form, double error, double bound) {
  std::printf("%s  %-40s %s  error %.2e of %.2e\n", ok ? "ok  " : "FAIL", name.c_str(), form, error, bound);
  if (!ok) ++failures;
}

// The gradient of a weight over three rows.
void run_learning(const bench::OpCase& c, const std::string& device, const char* form, bool compare) {
  const auto executor = make_device_executor(c.plan, device, form);
  bench::run_batch(c, *executor, {0, 1, 2});
  if (!compare) return;
  bench::OpCase three = c;
  three.depth *= 3;
  const double error = bench::relative_error(bench::learnt(c, *executor), bench::learnt_by_reference(c, {0, 1, 2})), 
               bound = bench::tolerance(three) + (c.half ? bench::kBf16Tolerance : 0);
  report(error <= bound, c.name, form, error, bound);
}

void run_cases(const std::string& device, const std::vector<bench::OpCase>& cases, bool compare) {
  for (const bench::OpCase& given : cases) {
    for (const char* form : {"fp32", "bf16"}) {
      const bool half = std::strcmp(form, "bf16") == 0;
      const bench::OpCase c = half ? bench::in_bf16(given) : given;
      if (c.learnt != kNone) {
        run_learning(c, device, form, compare);
        continue;
      }
      const std::vector<float> actual = bench::run_case(c, *make_device_executor(c.plan, device, form));
      if (!compare) continue;
      const std::vector<double> expected = bench::run_reference(c);
      const double bound = bench::tolerance(c) + (half ? bench::kBf16Tolerance : 0);
      double worst = 0;
      for (const BufferId b : c.written) worst = std::max(worst, bench::relative_error(c, b, actual, expected));
      report(worst <= bound, c.name, form, worst, bound);
    }
  }
}

std::vector<float> run_network(const dc_network_config& config, const std::string& device, const char* form, std::int64_t rows, std::int64_t batch) {
  Network network(validate(config), device, 0, device == "reference" ? "" : form);
  bench::set_random_weights(network);
  network.finish(batch);
  const NetworkConfig& c = network.config();
  const std::int64_t in = c.image_elements(), out = in / c.img_channels * c.out_channels();
  const auto image = bench::random_floats(rows * in, 11), noise = bench::random_floats(rows, 12);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows), c.label_dim > 0 ? 1 : -1);
  std::vector<float> result(static_cast<std::size_t>(rows * out));
  network.network(rows, noise.data(), labels.data(), image.data(), result.data());
  return result;
}

void check_networks(const std::string& device) {
  constexpr std::int64_t kRows = 5;
  for (const bench::NamedConfig& named : bench::small_networks()) {
    const std::vector<float> reference = run_network(named.config, "reference", "", kRows, kRows);
    // Layers add up: some 30 of them in these networks.
    for (const auto& [form, bound] : {std::pair("fp32", 1e-5), std::pair("bf16", 2e-2)}) {
      const std::vector<float> whole = run_network(named.config, device, form, kRows, kRows), parts = run_network(named.config, device, form, kRows, 2);
      double difference = 0, size = 0;
      for (std::size_t i = 0; i < reference.size(); ++i) {
        difference += std::pow(static_cast<double>(whole[i]) - static_cast<double>(reference[i]), 2);
        size += std::pow(static_cast<double>(reference[i]), 2);
      }
      const bool same = std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)) == 0;
      const double error = std::sqrt(difference / size);
      report(error <= bound && same, named.name + (same ? "" : " (the batch shows in the bits)"), form, error, bound);
    }
  }
}

struct Gradients {
  std::vector<float> image;
  std::vector<double> weights;  // of all tensors, one behind the other
};

Gradients pull(const dc_network_config& config, const std::string& device, std::int64_t rows, std::int64_t batch) {
  Network network(validate(config), device, 0, "");
  network.differentiate(true, 0);
  bench::set_random_weights(network);
  network.finish(batch);
  const std::int64_t size = rows * network.config().image_elements();
  const auto image = bench::random_floats(size, 11), cotangent = bench::random_floats(size, 12);
  const std::vector<double> sigma(static_cast<std::size_t>(rows), 0.7);
  Gradients out{std::vector<float>(image.size()), {}};
  network.vector_jacobian(rows, sigma.data(), nullptr, image.data(), cotangent.data(), nullptr, out.image.data());
  for (std::size_t w = 0; w < network.weights().size(); ++w) {
    const std::vector<double> one = network.gradient(static_cast<WeightId>(w));
    out.weights.insert(out.weights.end(), one.begin(), one.end());
  }
  return out;
}

void check_gradients(const std::string& device) {
  constexpr std::int64_t kRows = 3;
  for (const auto& named : bench::small_networks()) {
    const Gradients reference = pull(named.config, "reference", kRows, kRows), whole = pull(named.config, device, kRows, kRows);
    const Gradients parts = pull(named.config, device, kRows, 2);
    const bool same = parts.image == whole.image && parts.weights == whole.weights;
    const auto widened = [](const std::vector<float>& v) { return std::vector<double>(v.begin(), v.end()); };
    const double error = std::max(bench::relative_error(widened(whole.image), widened(reference.image)),
                                  bench::relative_error(whole.weights, reference.weights));
    report(error <= 1e-5 && same, named.name + (same ? ", gradients" : ", gradients (the batch shows in the bits)"), "fp32", error, 1e-5);
  }
}

// Adam on the device moves every number to the host's bits, and the network computes with what came of it.
void check_steps(const std::string& device) {
  const auto& named = bench::small_networks().front();
  Network network(validate(named.config), device, 0, "");
  network.differentiate(true, 0);
  bench::set_random_weights(network);
  network.finish(2);
  const std::int64_t size = 2 * network.config().image_elements();
  const auto image = bench::random_floats(size, 11), cotangent = bench::random_floats(size, 12);
  const std::vector<double> sigma(2, 0.7);
  std::vector<float> before(image.size()), after(image.size());
  network.vector_jacobian(2, sigma.data(), nullptr, image.data(), cotangent.data(), before.data(), nullptr);
  const AdamStep by{1e-2, 0.9, 0.999, 0.1, 0.001, 1e-8, 0.75};
  std::vector<std::vector<double>> gradients;
  std::vector<std::vector<float>> expected[kTrainTensors];
  for (std::size_t w = 0; w < network.weights().size(); ++w) {
    const auto id = static_cast<WeightId>(w);
    const std::vector<double> gradient = network.gradient(id);
    for (int kind = 1; kind < kTrainTensors; ++kind) network.set_state(static_cast<TrainTensor>(kind), id, std::vector<float>(gradient.size(), 0.125f));
    for (int kind = 0; kind < kTrainTensors; ++kind) expected[kind].push_back(network.state(static_cast<TrainTensor>(kind), id));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      float number[kTrainTensors];
      for (int kind = 0; kind < kTrainTensors; ++kind) number[kind] = expected[kind][w][i];
      adam(by, gradient[i], number);
      for (int kind = 0; kind < kTrainTensors; ++kind) expected[kind][w][i] = number[kind];
    }
  }
  network.step(by);
  network.repack();
  bool same = true;
  for (int kind = 0; kind < kTrainTensors; ++kind) {
    for (std::size_t w = 0; w < expected[kind].size(); ++w) {
      same = same && network.state(static_cast<TrainTensor>(kind), static_cast<WeightId>(w)) == expected[kind][w];
    }
  }
  network.denoise(2, sigma.data(), nullptr, image.data(), after.data());
  report(same && after != before, "a step of Adam, to the host's bits", "fp32", same ? 0 : 1, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 3 ? argv[2] : "";
  if (mode != "check" && mode != "sanitize") {
    std::fprintf(stderr, "usage: diffcert-check-device DEVICE check|sanitize\n");
    return 2;
  }
  try {
    const std::string device = argv[1];
    std::printf("%s\n", describe_device(device).c_str());
    for (const auto& cases : {bench::op_cases(), bench::backward_cases()}) run_cases(device, cases, mode == "check");
    if (mode == "check") {
      check_networks(device);
      check_gradients(device);
      check_steps(device);
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.status == DC_DEVICE_UNAVAILABLE ? 4 : 1;
  }
  std::printf("%d out of tolerance\n", failures);
  return failures == 0 ? 0 : 1;
}
