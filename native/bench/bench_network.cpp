// diffcert-bench-network: whole networks of the published sizes, random weights.
//
// Prints the median milliseconds of a forward, images a second, and the memory held. Options: --network cifar10|imagenet64|mnist,
// --batch N, --threads T, --isa portable|avx2|avx512, --repeats R, --gradients image|weights (there and back).
#include <cstdio>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "bench/networks.hpp"
#include "bench/timing.hpp"
#include "core/status.hpp"

namespace {

using namespace diffcert;

int run(int count, char** arguments) {
  std::string name = "cifar10", isa, gradients;
  int threads = 0, repeats = 7;
  std::int64_t batch = 8;
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    if (i + 1 >= count) throw Error(DC_BAD_ARGUMENT, option + " needs a value.");
    const std::string value = arguments[++i];
    if (option == "--network") name = value;
    else if (option == "--batch") batch = std::stoll(value);
    else if (option == "--threads") threads = std::stoi(value);
    else if (option == "--isa") isa = value;
    else if (option == "--repeats") repeats = std::stoi(value);
    else if (option == "--gradients") gradients = value;
    else throw Error(DC_BAD_ARGUMENT, "Option " + option + " is unknown.");
  }
  for (const auto& named : bench::published_networks()) {
    if (named.name != name) continue;
    Network network(validate(named.config), "cpu", threads, isa);
    if (!gradients.empty() && gradients != "image" && gradients != "weights") throw Error(DC_BAD_ARGUMENT, "Gradients are by image or by weights.");
    if (!gradients.empty()) network.differentiate(gradients == "weights", 0);
    bench::set_random_weights(network);
    network.finish(batch);
    const auto image = bench::random_floats(batch * network.config().image_elements(), 5);
    std::vector<float> noise(static_cast<std::size_t>(batch), -0.3f);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(batch), 1);
    std::vector<float> out(static_cast<std::size_t>(batch * network.config().out_channels() * named.config.img_resolution *
                                                    named.config.img_resolution));
    const std::vector<double> sigma(static_cast<std::size_t>(batch), 0.5);
    std::vector<float> gradient(image.size());
    std::vector<double> times;
    for (int repeat = 0; repeat < repeats + 1; ++repeat) {
      const auto start = bench::Clock::now();
      if (gradients.empty()) network.network(batch, noise.data(), labels.data(), image.data(), out.data());
      else network.vector_jacobian(batch, sigma.data(), labels.data(), image.data(), image.data(), nullptr, gradient.data());
      if (repeat > 0) times.push_back(bench::seconds_since(start));
    }
    const double time = bench::median(times), best = *std::min_element(times.begin(), times.end());
    std::printf("%s%s%s, batch %lld, %s, %d threads: median %.2f ms, best %.2f ms, %.2f images/s, weights %.0f MB, arena %.0f MB\n",
                name.c_str(), gradients.empty() ? "" : ", gradients by ", gradients.c_str(), static_cast<long long>(batch), cpu::choose_kernels(isa.c_str()).name,
                ThreadPool(threads).threads(), time * 1e3, best * 1e3, static_cast<double>(batch) / time,
                static_cast<double>(network.weight_bytes()) * 1e-6, static_cast<double>(network.arena_bytes()) * 1e-6);
    return 0;
  }
  throw Error(DC_BAD_ARGUMENT, "Network " + name + " is unknown; use cifar10, imagenet64 or mnist.");
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
