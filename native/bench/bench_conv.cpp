// diffcert-bench-conv: the fused convolutions of the published CIFAR-10 network and of the shipped MNIST network, one by one.
//
// For each shape: median microseconds of a batch, GFLOP/s (FLOPs of the direct form over time), that over the measured peak of the
// fma units with the same threads (above 100 % is Winograd's doing), relative L2 error against float64.
// Options: --isa portable|avx2|avx512, --threads T, --repeats R, --no-error, --only TEXT.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "bench/timing.hpp"
#include "core/status.hpp"
#include "cpu/kernels.hpp"

namespace {

using namespace diffcert;
using bench::Clock;

struct Named {
  const char* name;
  std::int64_t batch;
  bench::ConvShape shape;
};

std::vector<Named> shapes() {
  using S = bench::ConvShape;
  return {
      {"cifar 256->256 32x32", 8, S{.height = 32, .width = 32, .in = {256, 0}, .out = 256}},
      {"cifar 512->256 32x32", 8, S{.height = 32, .width = 32, .in = {256, 256}, .out = 256}},
      {"cifar 256->256 16x16", 8, S{.height = 16, .width = 16, .in = {256, 0}, .out = 256}},
      {"cifar 512->256 16x16", 8, S{.height = 16, .width = 16, .in = {256, 256}, .out = 256}},
      {"cifar 256->256 8x8", 8, S{.height = 8, .width = 8, .in = {256, 0}, .out = 256}},
      {"cifar 128->256 32x32", 8, S{.height = 32, .width = 32, .in = {128, 0}, .out = 256}},
      {"cifar up 256 16->32", 8, S{.height = 16, .width = 16, .in = {256, 0}, .out = 256, .up2 = true}},
      {"cifar 256->256 + skip 512", 8, S{.height = 32, .width = 32, .in = {256, 0}, .out = 256, .skip = {256, 256}}},
      {"cifar 1x1 256->768 16x16", 8,
       S{.height = 16, .width = 16, .in = {256, 0}, .out = 768, .kernel = 1, .padding = 0, .silu = false, .shift = false}},
      {"cifar 3->128 32x32", 8,
       S{.height = 32, .width = 32, .in = {3, 0}, .out = 128, .affine = false, .silu = false, .shift = false}},
      {"cifar 256->3 32x32", 8, S{.height = 32, .width = 32, .in = {256, 0}, .out = 3, .shift = false, .stats = false}},
      {"mnist 32->32 28x28", 80, S{.height = 28, .width = 28, .in = {32, 0}, .out = 32}},
      {"mnist 64->64 14x14", 80, S{.height = 14, .width = 14, .in = {64, 0}, .out = 64}},
      {"mnist 64->64 7x7", 80, S{.height = 7, .width = 7, .in = {64, 0}, .out = 64}},
  };
}

double error_of(const bench::ConvCase& c, const std::string& isa, int threads) {
  const auto executor = make_cpu_executor(c.plan, threads, isa);
  c.give_weights(*executor);
  executor->prepare(1);
  std::vector<float> out(static_cast<std::size_t>(c.image_elements));
  const float label = 0;
  executor->run(1, c.image.data(), &label, nullptr, out.data());
  const float* got = out.data() + c.plan.buffers[static_cast<std::size_t>(c.op.out.buffer)].offset;
  double difference = 0, size = 0;
  std::size_t i = 0;
  for (const double e : c.expected()) {
    difference += (got[i] - e) * (got[i] - e);
    size += e * e;
    ++i;
  }
  return std::sqrt(difference / size);
}

// The op alone, on a plan whose image and output are the label, so that filling and reading cost nothing.
double time_of(const bench::ConvCase& c, std::int64_t batch, const std::string& isa, int threads, int repeats) {
  Plan plan = c.plan;
  plan.buffers[static_cast<std::size_t>(plan.image.buffer)].elements = 0;
  plan.image = plan.output = {plan.noise_label, 1, 1, 1};
  const auto executor = make_cpu_executor(plan, threads, isa);
  c.give_weights(*executor);
  executor->prepare(batch);
  std::vector<float> one(static_cast<std::size_t>(batch), 0.5f), out(one);
  std::vector<double> times;
  for (int repeat = 0; repeat < repeats + 2; ++repeat) {
    const auto start = Clock::now();
    executor->run(batch, one.data(), one.data(), nullptr, out.data());
    if (repeat >= 2) times.push_back(bench::seconds_since(start));
  }
  return bench::median(times);
}

int run(int count, char** arguments) {
  std::string isa, only;
  int threads = 0, repeats = 15;
  bool errors = true;
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    const auto value = [&] {
      if (++i >= count) throw Error(DC_BAD_ARGUMENT, option + " needs a value.");
      return std::string(arguments[i]);
    };
    if (option == "--isa") isa = value();
    else if (option == "--threads") threads = std::stoi(value());
    else if (option == "--repeats") repeats = std::stoi(value());
    else if (option == "--only") only = value();
    else if (option == "--no-error") errors = false;
    else throw Error(DC_BAD_ARGUMENT, "Option " + option + " is unknown.");
  }
  const cpu::Kernels& kernels = cpu::choose_kernels(isa.c_str());
  const double peak = bench::peak_gflops(kernels, threads);
  std::printf("%s, %d threads, peak %.0f GFLOP/s\n", kernels.name, ThreadPool(threads).threads(), peak);
  std::printf("%-28s %6s %12s %10s %8s %12s\n", "shape", "batch", "us", "GFLOP/s", "% peak", "rel. error");
  for (const Named& named : shapes()) {
    if (!only.empty() && std::string(named.name).find(only) == std::string::npos) continue;
    const bench::ConvCase c(named.shape);
    const double time = time_of(c, named.batch, isa, threads, repeats);
    const double rate = named.shape.flops() * static_cast<double>(named.batch) / time * 1e-9;
    std::printf("%-28s %6lld %12.1f %10.1f %8.1f ", named.name, static_cast<long long>(named.batch), time * 1e6, rate,
                100 * rate / peak);
    if (errors) std::printf("%12.2e", error_of(c, isa, threads));
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
