// The objective against the published implementation: residuals of every classifier with explicit noise, clamped and raw, at three sigmas, on the
// float64 reference and on the CPU; and what dc_elbo refuses.
#include <cmath>
#include <string>

#include "check.hpp"
#include "diffcert/diffcert.h"
#include "golden.hpp"
#include "tiny_model.hpp"

using namespace diffcert;

namespace {

const char* const kNames[] = {"dc", "epndc", "apndc", "apndc-conditional", "apndc-ensemble"};

dc_network_config golden_config() {
  dc_network_config config = tiny::config(32, 3, 10);
  config.augment_dim = 9;
  config.model_channels = 32;
  config.channel_mult_len = 3;
  config.channel_mult[1] = config.channel_mult[2] = 2;
  config.attn_resolutions[0] = 16;
  return config;
}

double worst_relative(const std::vector<double>& found, const std::vector<double>& wanted) {
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double error = std::fabs(found[i] - wanted[i]) / std::fabs(wanted[i]);
    worst = error <= worst ? worst : error;  // a NaN is the worst
  }
  return worst;
}

void test_goldens(const char* device, double tolerance, const std::vector<std::string>& sigmas) {
  const Golden model_file("golden/edm/ddpmpp-edm.model.safetensors"), golden("golden/elbo/ddpmpp-edm.safetensors");
  dc_model model{Network(validate(golden_config()), device, 2, "")};
  for (const Weight& weight : model.network.weights()) model.network.set_weight(weight.name, model_file.read<float>(weight.name));
  model.network.finish(16);
  const auto image = golden.read<std::uint8_t>("image");
  std::vector<double> clean(image.size());
  for (std::size_t e = 0; e < image.size(); ++e) clean[e] = edm_value(image[e]);
  for (const std::string& sigma : sigmas) {
    const std::string prefix = "sigma" + sigma + ".";
    const auto x_tau = golden.read<double>(prefix + "x_tau"), noise = golden.read<double>(prefix + "level_noise");
    const auto lower = golden.read<double>(prefix + "lower"), upper = golden.read<double>(prefix + "upper");
    for (int kind = DC_DC; kind <= DC_APNDC_ENSEMBLE; ++kind) {
      for (const int clamp : {0, 1}) {
        const std::string key = prefix + kNames[kind] + (clamp != 0 ? ".clamped" : ".raw") + ".residual";
        const auto wanted = golden.read<double>(key);
        std::vector<double> found(wanted.size());
        const dc_status status =
            dc_elbo(&model, nullptr, static_cast<dc_classifier_kind>(kind), clamp, 2 * std::stod(sigma), kind == DC_DC ? clean.data() : x_tau.data(),
                    static_cast<std::int64_t>(upper.size()), lower.data(), upper.data(), noise.data(), found.data());
        CHECK(status == DC_OK) << dc_last_error();
        const double worst = worst_relative(found, wanted);
        std::printf("%s %s worst relative error %.2e\n", device, key.c_str(), worst);
        CHECK(worst <= tolerance) << key << " on " << device << ": " << worst;
      }
    }
  }
}

void test_refusals() {
  dc_model model{Network(validate(tiny::config(8, 1, 5)), "reference", 1, "")};
  const std::vector<double> x(64, 0.1), noise(64, 0.5), lower = {0.6}, upper = {0.8}, low = {0.4};
  std::vector<double> residual(5);
  const auto call = [&](dc_model* m, dc_classifier_kind kind, double tau, const double* at, const double* from, const double* to) {
    return dc_elbo(m, nullptr, kind, 1, tau, at, 1, from, to, noise.data(), residual.data());
  };
  CHECK(call(&model, DC_DC, 0.5, x.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT) << "a model without weights";
  tiny::fill(model.network, 1, 4);
  CHECK(call(&model, DC_DC, 0.5, x.data(), nullptr, upper.data()) == DC_OK) << dc_last_error();
  CHECK(call(&model, DC_EPNDC, 0.5, x.data(), lower.data(), upper.data()) == DC_OK) << dc_last_error();
  CHECK(call(nullptr, DC_DC, 0.5, x.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT);
  CHECK(call(&model, DC_DC, 0.5, nullptr, lower.data(), upper.data()) == DC_BAD_ARGUMENT);
  CHECK(call(&model, static_cast<dc_classifier_kind>(9), 0.5, x.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT);
  CHECK(call(&model, DC_EPNDC, 0.5, x.data(), nullptr, upper.data()) == DC_BAD_ARGUMENT) << "epndc reads the lower ends";
  CHECK(call(&model, DC_EPNDC, 0.5, x.data(), low.data(), upper.data()) == DC_BAD_ARGUMENT) << "a level below tau";
  CHECK(call(&model, DC_APNDC, 0.9, x.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT) << "a level below tau";
  CHECK(call(&model, DC_APNDC, std::nan(""), x.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT);
  std::vector<double> bad = x;
  bad[7] = std::nan("");
  CHECK(call(&model, DC_DC, 0.5, bad.data(), lower.data(), upper.data()) == DC_BAD_ARGUMENT);
}

}  // namespace

int main() {
  test_refusals();
  const std::vector<std::string> one = {"0.5"}, all = {"0.25", "0.5", "1.0"};
  test_goldens("cpu", 1e-4, check::depth() >= 1 ? all : one);
  // The float64 device needs minutes for all three: at depth 1 one sigma stands for them.
  if (check::depth() >= 1) test_goldens("reference", 1e-5, check::depth() >= 2 ? all : one);
  return check::finish();
}
