// Multi-head networks: a head is the network with that head's slice of the last convolution; gradients through all heads at once against differences and
// against one class at a time; losses of all classes; what is refused.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "abi/handles.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "diffcert/diffcert.h"
#include "elbo/gradient.hpp"
#include "tiny_model.hpp"

using namespace diffcert;

namespace {

constexpr std::int32_t kSide = 8, kClasses = 5;

std::vector<double> normals(std::size_t count, std::uint32_t which) {
  std::vector<double> values(count);
  draw_normals({77, which, 1, 0}, NoiseStream::level, 0, values);
  return values;
}

// The same weights in every network that has a tensor of the name; of the last convolution the rows of one head.
void fill_slice(Network& one, const Network& many, std::uint64_t seed, std::int32_t head, std::int64_t channels) {
  std::uint32_t index = 0;
  for (const Weight& weight : many.weights()) {
    ++index;
    if (weight.computed) continue;
    const std::int64_t count = weight.count();
    std::vector<double> drawn(static_cast<std::size_t>(count));
    draw_normals({seed, index, 1, 0}, NoiseStream::level, 0, drawn);
    const bool matrix = weight.shape.size() > 1;
    const double scale = matrix ? 1 / std::sqrt(static_cast<double>(count / weight.shape[0])) : 0.1;
    const double centre = !matrix && weight.name.find("norm") != std::string::npos && weight.name.ends_with("weight") ? 1 : 0;
    std::vector<float> data;
    for (const double z : drawn) data.push_back(static_cast<float>(centre + scale * z));
    const bool last = weight.name.find("aux_conv") != std::string::npos || weight.name.find("out_conv") != std::string::npos;
    if (!last) {
      one.set_weight(weight.name, data);
      continue;
    }
    const auto row = static_cast<std::ptrdiff_t>(count / weight.shape[0]), rows = static_cast<std::ptrdiff_t>(channels);
    one.set_weight(weight.name, std::vector<float>(data.begin() + head * rows * row, data.begin() + (head + 1) * rows * row));
  }
  one.finish(4);
}

// Every architecture and auxiliary path: label k is the network whose last convolution is the k-th slice.
void test_slices(const char* device, double tolerance) {
  constexpr std::int32_t kChannels = 2;
  for (int form = 0; form < 4; ++form) {
    dc_network_config config = tiny::config(kSide, kChannels, 0);
    if (form == 1) config.architecture = 1, config.model_channels = 32;
    if (form == 2) config.decoder_type = 1, config.encoder_type = 1;
    if (form == 3) config.precond = 1, config.encoder_type = 2;
    Network many(validate([&] {
                   dc_network_config c = config;
                   c.heads = kClasses + 1;
                   return c;
                 }()),
                 device, 2, "");
    tiny::fill(many, 3, 4);
    const std::size_t image = static_cast<std::size_t>(kChannels) * kSide * kSide;
    const std::vector<double> x = normals(3 * image, 1), sigma = {0.3, 1.0, 2.5};
    for (std::int32_t label = -1; label < kClasses; ++label) {
      Network one(validate(config), device, 1, "");
      fill_slice(one, many, 3, label < 0 ? kClasses : label, kChannels);
      const std::vector<std::int32_t> labels(3, label);
      std::vector<double> wanted(x.size()), found(x.size());
      one.denoise(3, sigma.data(), nullptr, x.data(), wanted.data());
      many.denoise(3, sigma.data(), labels.data(), x.data(), found.data());
      double worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i) worst = std::fmax(worst, std::fabs(found[i] - wanted[i]));
      CHECK(worst <= tolerance) << device << " form " << form << " label " << label << ": " << worst;
      std::size_t heads = 0;
      many.each_head(3, sigma.data(), x.data(), [&](std::int64_t row, std::int32_t head, const double* denoised) {
        ++heads;
        if (head != (label < 0 ? kClasses : label)) return;
        CHECK(std::memcmp(denoised, found.data() + static_cast<std::size_t>(row) * image, image * sizeof(double)) == 0) << device << " head " << head;
      });
      CHECK(heads == 3 * (kClasses + 1)) << heads;
    }
  }
}

struct Problem {
  dc_model model;
  std::vector<double> x, upper = {0.3, 0.7, 1.1, 1.9, 2.8}, weights = {1.5, 1, 0.5, 0.25, 0.1}, noise;
  Problem(const char* device, bool heads, int threads = 1, std::int64_t batch = 2)
      : model{Network(validate(heads ? tiny::with_heads(kSide, 1, kClasses) : tiny::config(kSide, 1, kClasses)), device, threads, "")},
        x(normals(kSide * kSide, 4)), noise(normals(x.size() * upper.size(), 5)) {
    for (double& v : x) v *= 0.5;
    model.network.differentiate(false, 0);
    tiny::fill(model.network, 11, batch);
  }
  std::vector<double> losses(const std::vector<double>& at, bool clamp) {
    std::vector<double> found(kClasses);
    CHECK(dc_elbo_pull(&model, clamp, at.data(), static_cast<std::int64_t>(upper.size()), upper.data(), weights.data(), noise.data(), nullptr, found.data(),
                       nullptr) == DC_OK) << dc_last_error();
    return found;
  }
  std::vector<double> pull(const std::vector<double>& coefficients, bool clamp, std::vector<double>& losses) {
    std::vector<double> gradient(x.size());
    losses.assign(kClasses, -1);
    CHECK(dc_elbo_pull(&model, clamp, x.data(), static_cast<std::int64_t>(upper.size()), upper.data(), weights.data(), noise.data(), coefficients.data(),
                       losses.data(), gradient.data()) == DC_OK) << dc_last_error();
    return gradient;
  }
};

void test_pull(bool heads) {
  Problem p("reference", heads);
  const std::vector<double> coefficients = {0.5, -1, 0, 2, 0.25};
  for (const bool clamp : {false, true}) {
    std::vector<double> losses;
    const auto gradient = p.pull(coefficients, clamp, losses);
    const auto plain = p.losses(p.x, clamp);
    for (std::size_t c = 0; c < kClasses; ++c) {
      if (!heads && coefficients[c] == 0) CHECK(std::isnan(losses[c])) << losses[c];
      else CHECK(losses[c] == plain[c]) << "class " << c << ": " << losses[c] << ", without a gradient " << plain[c];
    }
    // One class after the other gives the same.
    std::vector<std::int32_t> labels(kClasses);
    std::iota(labels.begin(), labels.end(), 0);
    std::vector<double> each(kClasses), parts(kClasses * p.x.size());
    CHECK(dc_elbo_gradient(&p.model, clamp, p.x.data(), static_cast<std::int64_t>(p.upper.size()), p.upper.data(), p.weights.data(), p.noise.data(), kClasses,
                           labels.data(), each.data(), parts.data()) == DC_OK) << dc_last_error();
    double worst = 0;
    for (std::size_t e = 0; e < p.x.size(); ++e) {
      double sum = 0;
      for (std::size_t c = 0; c < kClasses; ++c) sum += coefficients[c] * parts[c * p.x.size() + e];
      worst = std::fmax(worst, std::fabs(sum - gradient[e]));
    }
    CHECK(worst < 1e-12) << "heads " << heads << ": " << worst;
    if (clamp) continue;  // a cut has no derivative
    std::mt19937 random(3);
    std::vector<double> direction(p.x.size());
    for (double& v : direction) v = std::uniform_real_distribution<double>(-1, 1)(random);
    const auto at = [&](double step) {
      auto moved = p.x;
      for (std::size_t e = 0; e < moved.size(); ++e) moved[e] += step * direction[e];
      const auto found = p.losses(moved, false);
      return std::inner_product(found.begin(), found.end(), coefficients.begin(), 0.0);
    };
    constexpr double kStep = 1e-3;
    const double slope = (8 * (at(kStep) - at(-kStep)) - (at(2 * kStep) - at(-2 * kStep))) / (12 * kStep);
    const double ours = std::inner_product(gradient.begin(), gradient.end(), direction.begin(), 0.0);
    CHECK(std::fabs(ours - slope) < 1e-8 * (1 + std::fabs(slope))) << "heads " << heads << ": " << ours << ", by differences " << slope;
  }
}

// The bits of a pull on the CPU, in any batch and on any number of threads.
void test_bits() {
  std::vector<double> losses, wanted_losses;
  const std::vector<double> coefficients = {0.5, -1, 0, 2, 0.25};
  const auto wanted = Problem("cpu", true, 1, 5).pull(coefficients, true, wanted_losses);
  for (const int threads : {1, 2}) {
    for (const std::int64_t batch : {1, 2, 5}) {
      Problem p("cpu", true, threads, batch);
      CHECK(p.pull(coefficients, true, losses) == wanted && losses == wanted_losses) << threads << " threads, batch " << batch;
    }
  }
}

// A label's vector-Jacobian product, and the gradients by the weights: other heads' rows of the last convolution get none.
void test_product() {
  Network network(validate(tiny::with_heads(kSide, 1, kClasses)), "reference", 1, "");
  network.differentiate(true, 0);
  tiny::fill(network, 5, 4);
  const auto x = normals(kSide * kSide, 8), cotangent = normals(kSide * kSide, 9);
  const double sigma = 0.8;
  const std::int32_t label = 2;
  std::vector<double> one(x.size()), all(x.size());
  network.vector_jacobian(1, &sigma, &label, x.data(), cotangent.data(), nullptr, one.data());
  const std::string name = "model.dec.8x8_aux_conv.weight";
  const auto learnt = network.gradient(network.weight(name));
  const std::size_t rows = learnt.size() / (kClasses + 1);
  for (std::size_t i = 0; i < learnt.size(); ++i) CHECK((learnt[i] != 0) == (i / rows == 2)) << "row " << i / rows << ": " << learnt[i];
  network.pull_heads(1, &sigma, x.data(), [&](std::int64_t, const double*, double* place) {
    std::fill_n(place, (kClasses + 1) * kSide * kSide, 0.0);
    std::copy(cotangent.begin(), cotangent.end(), place + label * kSide * kSide);
  }, all.data());
  CHECK(one == all);
}

void test_refusals() {
  const auto refused = [](auto change) {
    dc_network_config config = tiny::with_heads(kSide, 1, kClasses);
    change(config);
    try {
      validate(config);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  CHECK(refused([](auto&) {}).empty());
  CHECK(refused([](auto& c) { c.label_dim = 3; }).find("heads") != std::string::npos);
  CHECK(refused([](auto& c) { c.precond = 3; }).find("heads") != std::string::npos);
  CHECK(refused([](auto& c) { c.heads = 0; }).find("heads") != std::string::npos);
  Problem p("cpu", true);
  const std::vector<double> out(kClasses);
  std::vector<double> loss(kClasses), gradient(p.x.size());
  std::vector<double> bad = {1, 1, std::nan(""), 1, 1};
  const auto call = [&](const double* coefficients, double* place) {
    return dc_elbo_pull(&p.model, 1, p.x.data(), 5, p.upper.data(), p.weights.data(), p.noise.data(), coefficients, loss.data(), place);
  };
  CHECK(call(bad.data(), gradient.data()) == DC_BAD_ARGUMENT);
  CHECK(call(nullptr, gradient.data()) == DC_BAD_ARGUMENT) << "a gradient of no coefficients";
  CHECK(call(out.data(), nullptr) == DC_BAD_ARGUMENT) << "coefficients without a place for the gradient";
  dc_model plain{Network(validate(tiny::with_heads(kSide, 1, kClasses)), "cpu", 1, "")};
  tiny::fill(plain.network, 1, 2);
  CHECK(dc_elbo_pull(&plain, 1, p.x.data(), 5, p.upper.data(), p.weights.data(), p.noise.data(), out.data(), loss.data(), gradient.data()) ==
        DC_BAD_ARGUMENT) << "a model not made for gradients";
  std::vector<float> x(kSide * kSide), denoised(x.size());
  const double sigma = 1;
  const std::int32_t beyond = kClasses;
  CHECK(dc_model_denoise(&plain, 1, x.data(), &sigma, &beyond, denoised.data()) == DC_BAD_ARGUMENT);
}

}  // namespace

int main() {
  test_slices("reference", 1e-12);
  test_slices("cpu", 1e-5);
  test_pull(true);
  test_pull(false);
  test_bits();
  test_product();
  test_refusals();
  return check::finish();
}
