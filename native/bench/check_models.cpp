// Holds whole models on a device against recorded outputs and against the CPU, where there is no Java.
//   diffcert-check-models DEVICE goldens DIR [ROWS] [NAME]             each (or the one) NAME.model.safetensors of DIR on its NAME.io.safetensors: D(x)
//                                                                     within 1e-4 (fp32) and 2e-2 (bf16) of the published network's, as vectors
//   diffcert-check-models DEVICE votes MODEL IMAGES [IMAGES] [SAMPLES] [LEVELS]
//                                                                     votes of MNIST images (idx, not compressed), by device and by CPU: 99.5 % agree
// Exit code 1 when something is off, 4 when the device is not there.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/model_file.hpp"
#include "bench/timing.hpp"
#include "bench/vote_job.hpp"
#include "core/status.hpp"

using namespace diffcert;

namespace {

constexpr double kFloat32 = 1e-4, kBf16 = 2e-2, kAgree = 0.995;

void say(const char* device) {
  char line[1000];
  const dc_status status = dc_device_describe(device, line, sizeof line);
  if (status != DC_OK) throw Error(status, dc_last_error());
  std::printf("%s\n", line);
}

std::vector<float> denoise(const bench::TensorFile& model, const bench::TensorFile& io, const std::string& device, const char* form, std::int64_t rows) {
  Network network(validate(model.config()), device, 0, form);
  model.fill(network);
  network.finish(rows);
  const auto x = io.values<float>("x");
  const auto sigma = io.values<double>("sigma");
  const auto labels = io.has("labels") && network.config().label_dim > 0 ? io.values<std::int32_t>("labels") : std::vector<std::int32_t>();
  std::vector<float> out(static_cast<std::size_t>(rows * network.config().image_elements()));
  network.denoise(rows, sigma.data(), labels.empty() ? nullptr : labels.data(), x.data(), out.data());
  return out;
}

int goldens(const std::string& device, const std::string& folder, std::int64_t most, const std::string& only) {
  std::vector<std::pair<const char*, double>> forms = {{"fp32", kFloat32}, {"bf16", kBf16}};
  if (device == "cpu") forms = {{"", kFloat32}};
  int compared = 0, failed = 0;
  std::vector<std::string> models;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".model.safetensors") && (only.empty() || name == only + ".model.safetensors")) models.push_back(name.substr(0, name.size() - 18));
  }
  std::sort(models.begin(), models.end());
  for (const std::string& name : models) {
    const bench::TensorFile model(folder + "/" + name + ".model.safetensors"), io(folder + "/" + name + ".io.safetensors");
    const auto expected = io.values<float>("denoised");
    const std::int64_t rows = std::min(most, io.shape("x")[0]);
    for (const auto& [form, bound] : forms) {
      const auto start = bench::Clock::now();
      const std::vector<float> found = denoise(model, io, device, form, rows);
      double difference = 0, size = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        difference += std::pow(static_cast<double>(found[i]) - static_cast<double>(expected[i]), 2);
        size += std::pow(static_cast<double>(expected[i]), 2);
      }
      const double error = std::sqrt(difference / size);
      const bool ok = error <= bound;  // a NaN is not
      std::printf("%s  %-20s %s  %lld rows  error %.2e of %.0e  %.1f s\n", ok ? "ok  " : "FAIL", name.c_str(), form, static_cast<long long>(rows), error,
                  bound, bench::seconds_since(start));
      std::fflush(stdout);
      ++compared;
      failed += ok ? 0 : 1;
    }
  }
  std::printf("%d of %d out of tolerance\n", failed, compared);
  return compared > 0 && failed == 0 ? 0 : 1;
}

std::vector<std::int32_t> cast(const bench::TensorFile& file, const std::string& device, const std::vector<std::vector<std::uint8_t>>& images,
                               std::uint32_t samples, std::int64_t levels) {
  Network network(validate(file.config()), device, 0, "");
  file.fill(network);
  network.finish(0);
  const bench::VoteJob job(0.5, levels);
  Classifier classifier(network, nullptr, DC_APNDC_ENSEMBLE, true, DC_NOISE_INTEGER, 7, job.taus(), {}, 0);
  const auto start = bench::Clock::now();
  std::vector<std::int32_t> votes(images.size() * samples);
  for (std::size_t i = 0; i < images.size(); ++i) {
    classifier.votes(images[i], {static_cast<std::uint32_t>(i), DC_ESTIMATE, 0, samples}, {votes.data() + i * samples, samples}, {});
  }
  const double seconds = bench::seconds_since(start);
  std::printf("%s: %zu votes in %.1f s, %.2f a second\n", device.c_str(), votes.size(), seconds, static_cast<double>(votes.size()) / seconds);
  std::fflush(stdout);
  return votes;
}

int votes(const std::string& device, const std::string& model, const std::string& data, std::int64_t images, std::uint32_t samples, std::int64_t levels) {
  const bench::TensorFile file(model);
  const auto pictures = bench::mnist_images(data, images);
  const auto there = cast(file, device, pictures, samples, levels), here = cast(file, "cpu", pictures, samples, levels);
  std::size_t same = 0, none = 0;
  for (std::size_t i = 0; i < here.size(); ++i) same += there[i] == here[i] ? 1 : 0, none += here[i] < 0 ? 1 : 0;
  const double share = static_cast<double>(same) / static_cast<double>(here.size());
  const bool ok = share >= kAgree && none * 100 < here.size();
  std::printf("%s  %zu of %zu votes agree, %.2f %% (at least %.1f %%); %zu count for no class\n", ok ? "ok  " : "FAIL", same, here.size(), 100 * share,
              100 * kAgree, none);
  return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  const auto number = [&](int i, long otherwise) { return argc > i ? std::atol(argv[i]) : otherwise; };
  try {
    if (mode == "goldens" && argc > 3) {
      say(argv[1]);
      return goldens(argv[1], argv[3], number(4, 1000), argc > 5 ? argv[5] : "");
    }
    if (mode == "votes" && argc > 4) {
      say(argv[1]);
      return votes(argv[1], argv[3], argv[4], number(5, 100), static_cast<std::uint32_t>(number(6, 20)), number(7, 5));
    }
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.status == DC_DEVICE_UNAVAILABLE ? 4 : 1;
  }
  std::fprintf(stderr, "usage: diffcert-check-models DEVICE goldens DIR [ROWS] [NAME] | votes MODEL IMAGES [IMAGES] [SAMPLES] [LEVELS]\n");
  return 2;
}
