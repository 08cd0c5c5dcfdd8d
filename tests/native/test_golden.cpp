// The six published networks with random weights, against the outputs of the published implementation, on both devices.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "check.hpp"
#include "golden.hpp"
#include "golden_networks.hpp"
#include "unet/network.hpp"

using namespace diffcert;

namespace {

double relative_l2(const std::vector<float>& ours, const std::vector<float>& theirs) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    difference += (static_cast<double>(ours[i]) - theirs[i]) * (static_cast<double>(ours[i]) - theirs[i]);
    norm += static_cast<double>(theirs[i]) * theirs[i];
  }
  return std::sqrt(difference / norm);
}

void run(const std::string& name, const std::string& device, double tolerance) {
  const Golden model("golden/edm/" + name + ".model.safetensors"), io("golden/edm/" + name + ".io.safetensors");
  Network network(validate(golden_config(name)), device, 2, "");
  for (const Weight& weight : network.weights()) network.set_weight(weight.name, model.read<float>(weight.name));
  network.finish(4);  // a batch of 6 in two calls
  const auto x = io.read<float>("x"), sigma32 = io.read<float>("sigma"), denoised = io.read<float>("denoised");
  const std::vector<double> sigma(sigma32.begin(), sigma32.end());
  std::vector<std::int32_t> labels;
  if (network.config().label_dim > 0) {
    for (const std::int64_t label : io.read<std::int64_t>("labels")) labels.push_back(static_cast<std::int32_t>(label));
  }
  const auto n = static_cast<std::int64_t>(sigma.size());
  const std::int32_t* label = labels.empty() ? nullptr : labels.data();
  std::vector<float> out(denoised.size());
  network.denoise(n, sigma.data(), label, x.data(), out.data());
  const double error = relative_l2(out, denoised);
  CHECK(out.size() == denoised.size() && error <= tolerance) << name << " on " << device << ": denoised " << error;

  const auto raw = io.read<float>("network_output");
  std::vector<float> result(raw.size());
  network.network(n, io.read<float>("network_noise_label").data(), label, io.read<float>("network_input").data(), result.data());
  const double raw_error = relative_l2(result, raw);
  CHECK(raw_error <= 10 * tolerance) << name << " on " << device << ": network output " << raw_error;
  std::printf("%-18s %-10s denoised %.2e  network %.2e\n", name.c_str(), device.c_str(), error, raw_error);
}

}  // namespace

int main() {
  for (const char* name : {"ddpmpp-edm", "ddpmpp-vp-uncond", "ncsnpp-edm-gray", "ncsnpp-ve", "adm-edm", "adm-iddpm"}) {
    run(name, "cpu", 1e-4);
    run(name, "reference", 1e-5);
  }
  return check::finish();
}
