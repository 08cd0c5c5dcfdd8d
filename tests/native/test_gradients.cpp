// Gradients of the six published networks with random weights, by the image and by every parameter, against those that the published
// implementation's own differentiation gave in float32, and against PyTorch's in float64 (vectors/gradients.py); and the same with the insides of
// blocks recomputed.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "golden.hpp"
#include "golden_networks.hpp"
#include "unet/network.hpp"

using namespace diffcert;

namespace {

struct Inputs {
  explicit Inputs(const std::string& name)
      : model("golden/edm/" + name + ".model.safetensors"), io("golden/edm/" + name + ".io.safetensors"), config(golden_config(name)) {
    const auto levels = io.read<float>("sigma");
    sigma.assign(levels.begin(), levels.end());
    x = io.read<float>("x");
    cotangent = io.read<float>("cotangent");
    if (config.label_dim == 0) return;
    for (const std::int64_t label : io.read<std::int64_t>("labels")) labels.push_back(static_cast<std::int32_t>(label));
  }
  Golden model, io;
  dc_network_config config;
  std::vector<double> sigma;
  std::vector<float> x, cotangent;
  std::vector<std::int32_t> labels;
  std::int64_t rows() const { return static_cast<std::int64_t>(sigma.size()); }
  const std::int32_t* label() const { return labels.empty() ? nullptr : labels.data(); }
};

struct Result {
  std::vector<float> denoised, gradient;
  std::vector<std::vector<double>> parameters;  // by weight
  std::int64_t arena = 0;
  bool operator==(const Result& other) const {
    return denoised == other.denoised && gradient == other.gradient && parameters == other.parameters;
  }
};

Result run(const Inputs& in, const std::string& device, int threads, std::int64_t batch, bool parameters, std::int64_t elements) {
  Network network(validate(in.config), device, threads, "");
  network.differentiate(parameters, elements);
  for (const Weight& weight : network.weights()) network.set_weight(weight.name, in.model.read<float>(weight.name));
  network.finish(batch);
  Result result{std::vector<float>(in.x.size()), std::vector<float>(in.x.size()), {}, network.plan().arena_elements};
  network.vector_jacobian(in.rows(), in.sigma.data(), in.label(), in.x.data(), in.cotangent.data(), result.denoised.data(), result.gradient.data());
  for (std::size_t w = 0; parameters && w < network.weights().size(); ++w) result.parameters.push_back(network.gradient(static_cast<WeightId>(w)));
  return result;
}

double relative_l2(const std::vector<float>& ours, const std::vector<float>& theirs) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    difference += std::pow(static_cast<double>(ours[i]) - static_cast<double>(theirs[i]), 2);
    norm += std::pow(static_cast<double>(theirs[i]), 2);
  }
  return std::sqrt(difference / norm);
}

// What the golden keeps of a gradient: its sum, its L2 norm, its dot product with cos(0), cos(1), ... The first and the last are held
// against what such a sum of a vector of this norm can be, the vector's own: |a.b| <= |a| |b|.
double summary_error(const std::vector<double>& gradient, const std::vector<double>& golden) {
  double sum = 0, squares = 0, dot = 0, waves = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double wave = std::cos(static_cast<double>(i));
    sum += gradient[i], squares += gradient[i] * gradient[i], dot += gradient[i] * wave, waves += wave * wave;
  }
  const double norm = golden[1] + 1e-30;
  return std::fmax(std::fabs(std::sqrt(squares) - golden[1]) / norm,
                   std::fmax(std::fabs(sum - golden[0]) / (norm * std::sqrt(static_cast<double>(gradient.size()))), std::fabs(dot - golden[2]) / (norm * std::sqrt(waves))));
}

void check_golden(const Inputs& in, const std::string& name, const std::string& device, const Result& result, const Golden& records, double tolerance) {
  const double by_image = relative_l2(result.gradient, records.read<float>("grad_x"));
  CHECK(by_image <= tolerance) << name << " on " << device << ": grad_x " << by_image;
  double worst = 0;
  const std::vector<Weight> weights = Network(validate(in.config), "reference", 1, "").weights();
  int seen = 0;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    std::vector<double> golden;
    try {
      golden = records.read<double>("grad3." + weights[w].name);
    } catch (const std::exception&) {
      continue;  // a filter or a table of the network, nothing that is learnt
    }
    ++seen;
    const double error = summary_error(result.parameters[w], golden);
    worst = std::fmax(worst, error);
    CHECK(error <= tolerance) << name << " on " << device << ": grad3." << weights[w].name << ' ' << error;
  }
  CHECK(seen > 100) << name << ": " << seen << " parameters";
  std::printf("%-18s %-10s %-7s grad_x %.1e  worst of %d parameters %.1e\n", name.c_str(), device.c_str(), &records == &in.io ? "float32" : "float64", by_image, seen, worst);
}

// Less memory, the same bits.
void check_recomputation(const Inputs& in, const std::string& name, const std::string& device) {
  for (const bool parameters : {false, true}) {
    const Result kept = run(in, device, 2, 4, parameters, 0);
    const Result half = run(in, device, 2, 4, parameters, kept.arena * 3 / 4), least = run(in, device, 2, 4, parameters, 1);
    CHECK(half.arena <= kept.arena * 3 / 4 && least.arena <= half.arena) << name << ": " << kept.arena << ", " << half.arena << ", " << least.arena;
    CHECK(half == kept && least == kept) << name << " on " << device << ": recomputed values differ";
    std::printf("%-18s %-10s %s: %.1f MB a row, three quarters asked %.1f, all recomputed %.1f\n", name.c_str(), device.c_str(),
                parameters ? "weights" : "image", static_cast<double>(kept.arena) * 4e-6, static_cast<double>(half.arena) * 4e-6,
                static_cast<double>(least.arena) * 4e-6);
  }
}

// The whole network along a random direction of the image, against differences in float64.
void check_differences(const Inputs& in, const std::string& name) {
  constexpr std::int64_t kRows = 2;
  const auto pixels = in.x.size() / in.sigma.size() * kRows;
  std::vector<double> x(in.x.begin(), in.x.begin() + static_cast<std::ptrdiff_t>(pixels));
  const std::vector<double> cotangent(in.cotangent.begin(), in.cotangent.begin() + static_cast<std::ptrdiff_t>(pixels));
  std::vector<double> gradient(pixels), denoised(pixels);
  Network network(validate(in.config), "reference", 1, "");
  network.differentiate(true, 0);
  for (const Weight& weight : network.weights()) network.set_weight(weight.name, in.model.read<float>(weight.name));
  network.finish(kRows);
  network.vector_jacobian(kRows, in.sigma.data(), in.label(), x.data(), cotangent.data(), nullptr, gradient.data());
  std::mt19937 random(29);
  std::vector<double> direction(pixels);
  double ours = 0, scale = 0;
  for (std::size_t i = 0; i < pixels; ++i) {
    direction[i] = std::uniform_real_distribution<double>(-1, 1)(random);
    ours += gradient[i] * direction[i], scale += std::fabs(gradient[i] * direction[i]);
  }
  const auto objective = [&](double step) {
    std::vector<double> moved(pixels);
    for (std::size_t i = 0; i < pixels; ++i) moved[i] = x[i] + step * direction[i];
    network.denoise(kRows, in.sigma.data(), in.label(), moved.data(), denoised.data());
    return std::inner_product(denoised.begin(), denoised.end(), cotangent.begin(), 0.0);
  };
  constexpr double kStep = 1e-3;
  const double slope = (8 * (objective(kStep) - objective(-kStep)) - (objective(2 * kStep) - objective(-2 * kStep))) / (12 * kStep);
  const double error = std::fabs(ours - slope) / scale;
  CHECK(error < 1e-8) << name << ": " << ours << ", by differences " << slope;
  std::printf("%-18s by differences %.1e\n", name.c_str(), error);
}

}  // namespace

int main() {
  for (const std::string name : {"ddpmpp-edm", "ddpmpp-vp-uncond", "ncsnpp-edm-gray", "ncsnpp-ve", "adm-edm", "adm-iddpm"}) {
    const Inputs in(name);
    if (check::depth() == 0 && name != "ncsnpp-edm-gray" && name != "adm-iddpm") continue;
    const Golden truth = Golden::vectors("gradients/" + name + ".safetensors");
    const Result reference = run(in, "reference", 2, 4, true, 0), cpu = run(in, "cpu", 2, 4, true, 0);
    check_golden(in, name, "reference", reference, truth, 1e-6);
    check_golden(in, name, "reference", reference, in.io, 1e-5);  // recorded in float32, which is up to 6e-6 away from float64
    check_golden(in, name, "cpu", cpu, truth, 1e-4);
    check_golden(in, name, "cpu", cpu, in.io, 1e-4);
    if (check::depth() == 0) continue;
    check_differences(in, name);
    check_recomputation(in, name, "cpu");
  }
  return check::finish();
}
