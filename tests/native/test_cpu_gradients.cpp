// Gradients on the CPU device: near the float64 reference for every small network, and the same bits in every batch, at every place, with
// every number of threads, on every instruction set. The weights' are sums over rows, so there the rows' order is kept.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/status.hpp"
#include "cpu/kernels.hpp"
#include "gradient_cases.hpp"

using namespace diffcert;
using namespace gradient_cases;

namespace {

constexpr std::int64_t kRows = 11;

void check_network(const bench::NamedConfig& named) {
  const NetworkConfig config = validate(named.config);
  const Inputs in(config, kRows);
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
