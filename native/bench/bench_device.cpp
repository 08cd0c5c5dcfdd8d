// Times a device of kernels; one line a figure, with tabs between, for tests/gpu/table.py.
//   diffcert-bench-device DEVICE ops [tiny]                 convolutions of the published networks, then every op case: conv|case, name, form, batch,
//                                                          microseconds, FLOPs, bytes that must move
//   diffcert-bench-device DEVICE forward [NETWORK...]      forward, network, form, batch, milliseconds on the device, milliseconds with the host
//   diffcert-bench-device DEVICE train NETWORK [ROWS]      train, network, form, rows of a step, milliseconds a step, Adam and new weights among them
//   diffcert-bench-device DEVICE certify NETWORK SECONDS LEVELS
//                                                          certify, network, form, batch, votes, seconds, calls a vote
// NETWORK: cifar10, imagenet64, mnist, small. Weights are random, medians are taken after a warm-up. Needs no files.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "bench/op_cases.hpp"
#include "bench/timing.hpp"
#include "bench/vote_job.hpp"
#include "core/status.hpp"
#include "train/trainer.hpp"

using namespace diffcert;

namespace {

constexpr int kRuns = 9, kWarm = 3;  // beyond the runs that capture a graph

struct Shape {
  int in, out, side;
};

// cuDNN's figures on the same shapes are peer_parts.py's.
std::vector<Shape> published_shapes(bool tiny) {
  if (tiny) return {{16, 16, 4}};
  return {{512, 256, 32}, {256, 256, 32}, {512, 256, 16}, {256, 256, 16}, {192, 192, 64}, {384, 384, 32}, {384, 192, 64}, {576, 576, 16}, {768, 384, 32}};
}

template <class Body>
double median_of_runs(Body body) {
  std::vector<double> times;
  for (int i = 0; i < kWarm + kRuns; ++i) {
    const double time = body();
    if (i >= kWarm) times.push_back(time);
  }
  return bench::median(times);
}

// A device without a clock of its own (the emulator) is timed by the host's.
double milliseconds(Executor& executor, const std::function<void()>& run) {
  const auto start = bench::Clock::now();
  run();
  const double own = executor.device_milliseconds();
  return own > 0 ? own : 1e3 * bench::seconds_since(start);
}

void bench_ops(const std::string& device, bool tiny) {
  for (const Shape& s : published_shapes(tiny)) {
    const bench::ConvCase c({.height = s.side, .width = s.side, .in = {s.in, 0}, .out = s.out});
    for (const std::int64_t batch : tiny ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{264, 1056}) {
      for (const char* form : {"fp32", "bf16"}) {
        const bool half = std::strcmp(form, "bf16") == 0;
        if (!half && batch > 264) continue;  // parity is not the target
        const auto executor = make_device_executor(c.plan, device, form);
        c.give_weights(*executor);
        executor->prepare(batch);
        const auto image = bench::random_floats(batch * c.image_elements, 3);
        std::vector<float> output(image.size());
        const std::vector<float> noise(static_cast<std::size_t>(batch), 0.0f);
        const double ms =
            median_of_runs([&] { return milliseconds(*executor, [&] { executor->run(batch, image.data(), noise.data(), nullptr, output.data()); }); });
        const double pixels = static_cast<double>(s.side) * s.side, size = half ? 2 : 4;
        const double bytes = size * (static_cast<double>(batch) * pixels * (s.in + s.out) + 9.0 * s.in * s.out);
        std::printf("conv\t%d->%d %dx%d\t%s\t%lld\t%.2f\t%.6g\t%.6g\n", s.in, s.out, s.side, s.side, form, static_cast<long long>(batch), 1e3 * ms,
                    static_cast<double>(batch) * c.shape.flops(), bytes);
        std::fflush(stdout);
      }
    }
  }
  std::size_t done = 0;
  for (const bench::OpCase& c : bench::op_cases()) {
    if (tiny && ++done > 3) break;
    const auto executor = make_device_executor(c.plan, device, "");
    bench::run_case(c, *executor);
    std::vector<float> output(c.image.size());
    const float label = 0.75f;
    const double ms = median_of_runs([&] { return milliseconds(*executor, [&] { executor->run(1, c.image.data(), &label, nullptr, output.data()); }); });
    std::printf("case\t%s\tfp32\t1\t%.2f\t0\t0\n", c.name.c_str(), 1e3 * ms);
  }
}

dc_network_config config_of(const std::string& name) {
  if (name == "small") return bench::small_networks().front().config;
  for (const bench::NamedConfig& named : bench::published_networks()) {
    if (named.name == name) return named.config;
  }
  throw Error(DC_BAD_ARGUMENT, "There is no network '" + name + "'; the networks are cifar10, imagenet64, mnist and small.");
}

void bench_forward(const std::string& device, const std::string& name) {
  for (const char* form : {"bf16", "fp32"}) {
    Network network(validate(config_of(name)), device, 0, form);
    bench::set_random_weights(network);
    network.finish(0);
    const NetworkConfig& c = network.config();
    const std::int64_t batch = network.max_batch();
    const auto image = bench::random_floats(batch * c.image_elements(), 5);
    const std::vector<float> noise(static_cast<std::size_t>(batch), -0.3f);
    const std::vector<std::int32_t> labels(static_cast<std::size_t>(batch), c.label_dim > 0 ? 1 : -1);
    std::vector<float> out(image.size() / static_cast<std::size_t>(c.img_channels) * static_cast<std::size_t>(c.out_channels()));
    std::vector<double> there;
    const double whole = median_of_runs([&] {
      const auto start = bench::Clock::now();
      network.network(batch, noise.data(), labels.data(), image.data(), out.data());
      there.push_back(network.device_milliseconds());
      return 1e3 * bench::seconds_since(start);
    });
    there.erase(there.begin(), there.begin() + kWarm);
    std::printf("forward\t%s\t%s\t%lld\t%.3f\t%.3f\n", name.c_str(), form, static_cast<long long>(batch), bench::median(there), whole);
    std::fflush(stdout);
  }
}

void bench_certify(const std::string& device, const std::string& name, double seconds, std::int64_t levels) {
  Network network(validate(config_of(name)), device, 0, "bf16");
  bench::set_random_weights(network);
  network.finish(0);
  const bench::VoteJob job(0.5, levels);
  Classifier classifier(network, nullptr, DC_APNDC_ENSEMBLE, true, DC_NOISE_INTEGER, 7, job.taus(), {}, 0);
  std::vector<std::uint8_t> image(static_cast<std::size_t>(classifier.elements()));
  for (std::size_t e = 0; e < image.size(); ++e) image[e] = static_cast<std::uint8_t>(37 * e % 256);
  std::uint32_t next = 0;
  const auto cast = [&](std::uint32_t samples) {
    std::vector<std::int32_t> votes(samples);
    classifier.votes(image, {0, DC_ESTIMATE, next, next + samples}, votes, {});
    next += samples;
  };
  cast(2);  // warm: code loaded, graphs captured
  const std::uint32_t before = next;
  const auto start = bench::Clock::now();
  do {
    cast(8);
  } while (bench::seconds_since(start) < seconds);
  std::printf("certify\t%s\tbf16\t%lld\t%u\t%.3f\t%lld\n", name.c_str(), static_cast<long long>(network.max_batch()), next - before, bench::seconds_since(start),
              static_cast<long long>(classifier.calls_per_sample()));
}

// A step as diffcert train makes it, on images that are all zero.
void bench_train(const std::string& device, const std::string& name, std::int64_t rows) {
  constexpr int kSteps = 5, kFirst = 3;  // the second run of a size captures its graphs
  for (const char* form : {"bf16", "fp32"}) {
    const dc_network_config config = config_of(name);
    Trainer trainer(validate(config), device, 0, form, TrainOptions{}, rows, 0);
    const std::vector<float> images(static_cast<std::size_t>(rows * trainer.network().config().image_elements()), 0.0f);
    const std::vector<std::int32_t> labels(static_cast<std::size_t>(rows), config.label_dim > 0 ? 1 : -1);
    std::vector<double> times;
    for (int i = 0; i < kFirst + kSteps; ++i) {
      const auto start = bench::Clock::now();
      trainer.step(rows, images.data(), config.label_dim > 0 ? labels.data() : nullptr);
      if (i >= kFirst) times.push_back(1e3 * bench::seconds_since(start));
    }
    std::printf("train\t%s\t%s\t%lld\t%.3f\n", name.c_str(), form, static_cast<long long>(rows), bench::median(times));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  try {
    if (mode == "ops") {
      bench_ops(argv[1], argc > 3 && std::strcmp(argv[3], "tiny") == 0);
      return 0;
    }
    if (mode == "forward") {
      for (int i = 3; i < argc; ++i) bench_forward(argv[1], argv[i]);
      return 0;
    }
    if (mode == "train" && argc > 3) {
      bench_train(argv[1], argv[3], argc > 4 ? std::atol(argv[4]) : 264);
      return 0;
    }
    if (mode == "certify" && argc == 6) {
      bench_certify(argv[1], argv[3], std::atof(argv[4]), std::atol(argv[5]));
      return 0;
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.status == DC_DEVICE_UNAVAILABLE ? 4 : 1;
  }
  std::fprintf(stderr, "usage: diffcert-bench-device DEVICE ops [tiny] | forward NETWORK... | train NETWORK [ROWS] | certify NETWORK SECONDS LEVELS\n");
  return 2;
}
