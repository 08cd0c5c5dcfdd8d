// Gradients on the CPU device: near the float64 reference for every small network, and the same bits in every batch, at every place, with
// every number of threads, on every instruction set. The weights' are sums over rows, so there the rows' order is kept.
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

constexpr std::int64_t kRows = 11;

struct Inputs {
  std::vector<float> image, cotangent;
  std::vector<double> sigma;
  std::vector<std::int32_t> labels;
};

struct Gradients {
  std::vector<float> denoised, image;
  std::vector<std::vector<double>> weights;
};

Gradients run(const dc_network_config& config, const Inputs& in, const std::string& device, int threads, const std::string& isa,
              const std::vector<std::int64_t>& batches, bool parameters = true) {
  Network network(validate(config), device, threads, isa);
  network.differentiate(parameters, 0);
  bench::set_random_weights(network);
  network.finish(8);
  const std::int64_t row = network.config().image_elements();
  Gradients out{std::vector<float>(in.image.size()), std::vector<float>(in.image.size()), {}};
  std::int64_t first = 0;
  for (const std::int64_t batch : batches) {
    network.vector_jacobian(batch, in.sigma.data() + first, in.labels.data() + first, in.image.data() + first * row,
                            in.cotangent.data() + first * row, out.denoised.data() + first * row, out.image.data() + first * row);
    first += batch;
  }
  CHECK(first == kRows);
  for (std::size_t w = 0; parameters && w < network.weights().size(); ++w) out.weights.push_back(network.gradient(static_cast<WeightId>(w)));
  return out;
}

template <class T>
double relative_error(const std::vector<T>& actual, const std::vector<T>& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(actual[i]) - static_cast<double>(expected[i]), 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return size == 0 ? std::sqrt(difference) : std::sqrt(difference / size);
}

void check_network(const bench::NamedConfig& named) {
  const NetworkConfig config = validate(named.config);
  Inputs in{bench::random_floats(kRows * config.image_elements(), 21), bench::random_floats(kRows * config.image_elements(), 22), {}, {}};
  for (std::int64_t row = 0; row < kRows; ++row) {
    in.sigma.push_back(0.05 * static_cast<double>(row * row + 1));
    in.labels.push_back(config.label_dim == 0 || row % 5 == 4 ? -1 : static_cast<std::int32_t>(row) % config.label_dim);
  }
  const Gradients whole = run(named.config, in, "cpu", 2, "", {kRows});
  const Gradients reference = run(named.config, in, "reference", 1, "", {kRows});
  CHECK(relative_error(whole.denoised, reference.denoised) < 1e-5) << named.name;
  const double by_image = relative_error(whole.image, reference.image);
  CHECK(by_image < 1e-5) << named.name << ": by the image " << by_image;
  double worst = 0;
  for (std::size_t w = 0; w < whole.weights.size(); ++w) {
    const double error = relative_error(whole.weights[w], reference.weights[w]);
    worst = std::fmax(worst, error);
    CHECK(error < 3e-5) << named.name << ": weight " << w << ' ' << error;
  }
  std::printf("%-40s by the image %.1e, worst weight %.1e\n", named.name.c_str(), by_image, worst);

  const auto same = [&](int threads, const std::string& isa, const std::vector<std::int64_t>& batches) {
    const Gradients other = run(named.config, in, "cpu", threads, isa, batches);
    CHECK(other.denoised == whole.denoised && other.image == whole.image && other.weights == whole.weights)
        << named.name << ": " << threads << " threads, isa \"" << isa << "\", first batch " << batches.front();
  };
  if (check::depth() == 0) return;
  same(1, "", {kRows});
  same(3, "", {1, 2, 8});
  same(2, "", {4, 6, 1});
  same(2, "portable", {5, 6});
  for (const char* isa : {"avx2", "avx512"}) {
    try {
      cpu::choose_kernels(isa);
    } catch (const Error&) {
      continue;  // this machine lacks it
    }
    same(2, isa, {5, 6});
  }
  // What is not asked for changes nothing.
  CHECK(run(named.config, in, "cpu", 2, "", {kRows}, false).image == whole.image) << named.name;
}

// Gradients add up from call to call until they are cleared; the reference's do not depend on its batches either.
void check_sums() {
  for (const std::string device : {"cpu", "reference"}) {
    const auto named = bench::small_networks().front();
    Network network(validate(named.config), device, 2, "");
    network.differentiate(true, 0);
    bench::set_random_weights(network);
    network.finish(3);
    const std::int64_t row = network.config().image_elements();
    const auto x = bench::random_floats(3 * row, 31), cotangent = bench::random_floats(3 * row, 32);
    const std::vector<double> sigma{0.1, 1, 4};
    const auto gradient = [&] {
      for (std::size_t w = 0;; ++w) {
        if (network.weights()[w].name.ends_with("conv0.weight")) return network.gradient(static_cast<WeightId>(w));
      }
    };
    network.vector_jacobian(3, sigma.data(), nullptr, x.data(), cotangent.data(), nullptr, nullptr);
    const auto once = gradient();
    network.vector_jacobian(3, sigma.data(), nullptr, x.data(), cotangent.data(), nullptr, nullptr);
    const auto twice = gradient();
    double norm = 0, difference = 0;
    for (std::size_t i = 0; i < once.size(); ++i) norm += once[i] * once[i], difference += std::pow(twice[i] - 2 * once[i], 2);
    CHECK(norm > 0 && difference < 1e-10 * norm) << device << ' ' << difference / norm;
    network.clear_gradients();
    for (std::int64_t i = 0; i < 3; ++i) {
      network.vector_jacobian(1, &sigma[static_cast<std::size_t>(i)], nullptr, x.data() + i * row, cotangent.data() + i * row, nullptr, nullptr);
    }
    CHECK(gradient() == once) << device << ": rows one by one";
  }
}

void check_refusals() {
  const auto named = bench::small_networks().front();
  const auto refused = [](const char* what, auto&& body) {
    try {
      body();
      CHECK(false) << what;
    } catch (const Error& e) {
      CHECK(std::string(e.what()).ends_with(".")) << e.what();
    }
  };
  Network plain(validate(named.config), "cpu", 1, "");
  refused("gradients of a network that goes forwards only", [&] {
    float number = 0;
    const double sigma = 1;
    bench::set_random_weights(plain);
    plain.finish(1);
    plain.vector_jacobian(1, &sigma, nullptr, &number, &number, nullptr, nullptr);
  });
  refused("gradients after the weights", [&] { plain.differentiate(false, 0); });
  refused("gradients of weights that were not asked", [&] { plain.gradient(0); });
  Network twice(validate(named.config), "cpu", 1, "");
  twice.differentiate(false, 0);
  refused("twice", [&] { twice.differentiate(true, 0); });
  Network emulated(validate(named.config), "emulator", 1, "");
  refused("a device without gradients", [&] { emulated.differentiate(false, 0); });
}

}  // namespace

int main() {
  auto networks = bench::small_networks();
  // A filter so long that its convolution's adjoint crops.
  auto wide = networks[3];
  wide.name = "ncsn++ ve, six taps";
  wide.config.resample_filter_len = 6;
  for (int i = 0; i < 6; ++i) wide.config.resample_filter[i] = i == 0 || i == 5 ? 1 : i == 1 || i == 4 ? 4 : 7;
  networks.push_back(wide);
  for (const auto& named : networks) check_network(named);
  check_sums();
  check_refusals();
  return check::finish();
}
