// Several devices of kernels in one process: what their names stand for, and that votes, calls, losses and images are those of one device alone.
#include <cstdlib>
#include <cstring>

#include "check.hpp"
#include "core/status.hpp"
#include "ops/device.hpp"
#include "vote_cases.hpp"

using namespace diffcert;
using namespace vote_cases;

namespace {

void refused(const std::string& name, dc_status status, const std::string& part) {
  try {
    devices_of(name);
    CHECK(false) << name << " is taken";
  } catch (const Error& e) {
    CHECK(e.status == status && std::string(e.what()).find(part) != std::string::npos) << name << ": " << e.what();
  }
}

void test_names() {
  using Names = std::vector<std::string>;
  CHECK(devices_of("cpu") == Names{"cpu"});
  CHECK(devices_of("emulator:2") == Names{"emulator:2"});
  CHECK((devices_of("emulator:3,emulator:1") == Names{"emulator:3", "emulator:1"}));
  CHECK((devices_of("emulator:all") == Names{"emulator:0", "emulator:1", "emulator:2", "emulator:3"}));
  for (const char* name : {"emulator:0,emulator:0", "emulator,emulator:1", "emulator:0,cuda:1", "emulator:0,", ",emulator:0", "cpu,cpu"}) {
    refused(name, DC_BAD_ARGUMENT, "Several devices are of one kind, numbered and different");
  }
  refused("emulator:0,emulator:7", DC_DEVICE_UNAVAILABLE, "'emulator:7' is not there: the machine has 4 devices");
  refused("cpu:all", DC_BAD_ARGUMENT, "There is no device 'cpu:all'");
  CHECK(device_identity("emulator:0,emulator:1") == "emulator" && device_identity("emulator") == "emulator" && device_identity("cpu") == "cpu");
  char line[1000];
  CHECK(dc_device_describe("emulator:0,emulator:1", line, sizeof line) == DC_OK);
  CHECK(std::string(line).rfind("2 devices; emulator:0: ", 0) == 0 && std::string(line).find("; emulator:1: ") != std::string::npos) << line;
}

// Two taus on one path, two levels: ten rows a sample, since the emulator takes its time.
std::vector<TauData> few() {
  const std::vector<double> points = {1.2, 2.0, 3.0};
  return {tau_data(0.25, points), tau_data(0.5, points)};
}

void test_votes() {
  constexpr std::uint32_t kSamples = 5;
  const auto one = tiny_model("emulator", 1, 16), three = tiny_model("emulator:0,emulator:2,emulator:1", 1, 16);
  const std::vector<TauData> taus = few();
  const Handle alone = open(one.get(), DC_EPNDC, DC_NOISE_PATH, taus, 0), spread = open(three.get(), DC_EPNDC, DC_NOISE_PATH, taus, 0);
  const auto picture = image(3);
  const auto cast = [&](const Handle& classifier, std::uint32_t from) {
    std::vector<std::int32_t> votes(taus.size() * (kSamples - from), -9);
    std::vector<std::int64_t> calls(kSamples - from, -9);
    CHECK(dc_classifier_votes(classifier.get(), picture.data(), kPixels, 3, DC_PREDICT, from, kSamples, votes.data(), calls.data()) == DC_OK) << dc_last_error();
    return std::pair(votes, calls);
  };
  for (const std::uint32_t from : {0u, 4u, kSamples}) CHECK(cast(spread, from) == cast(alone, from)) << "from " << from;
  CHECK(losses(spread.get(), picture, 1, taus.size()) == losses(alone.get(), picture, 1, taus.size()));
}

void test_images() {
  const auto one = tiny_model("emulator", 1, 8), two = tiny_model("emulator:3,emulator:0", 1, 8);
  for (const std::int64_t n : {1, 2, 5}) {
    std::vector<float> x(static_cast<std::size_t>(n * kPixels)), alone(x.size()), spread(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 9 - 1;
    std::vector<double> sigma;
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < n; ++i) sigma.push_back(0.5 + static_cast<double>(i)), labels.push_back(static_cast<std::int32_t>(i % kClasses) - 1);
    CHECK(dc_model_denoise(one.get(), n, x.data(), sigma.data(), labels.data(), alone.data()) == DC_OK);
    CHECK(dc_model_denoise(two.get(), n, x.data(), sigma.data(), labels.data(), spread.data()) == DC_OK);
    CHECK(alone == spread) << n << " rows";
  }
  std::int64_t weights[2], arenas[2];
  CHECK(dc_model_memory(one.get(), &weights[0], &arenas[0]) == DC_OK && dc_model_memory(two.get(), &weights[1], &arenas[1]) == DC_OK);
  CHECK(weights[1] == 2 * weights[0]);
}

struct Buffer {
  dc_buffer* handle = nullptr;
  std::uint64_t address = 0;
  Buffer(const char* device, std::int64_t values) {
    CHECK(dc_buffer_create(device, values, &handle) == DC_OK && dc_buffer_address(handle, &address) == DC_OK) << dc_last_error();
  }
  ~Buffer() { dc_buffer_close(handle); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

// Images that lie on the device come out as those that are brought: the same bits, to another place or the same.
void test_resident() {
  constexpr std::int64_t kRows = 5, kValues = kRows * kPixels;
  std::vector<float> x(kValues), brought(kValues), found(kValues);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 19) / 9 - 1;
  const std::vector<double> sigma = {0.1, 0.5, 1, 2, 8};
  const std::vector<std::int32_t> labels = {0, -1, 4, 2, 2};
  for (const char* device : {"cpu", "emulator:1"}) {
    const auto model = tiny_model(device, 1, 3);  // so that the rows take two batches
    CHECK(dc_model_denoise(model.get(), kRows, x.data(), sigma.data(), labels.data(), brought.data()) == DC_OK);
    const Buffer in(device, kValues), out(device, kValues);
    for (const std::uint64_t to : {out.address, in.address}) {
      CHECK(dc_buffer_write(in.handle, 0, x.data(), kPixels) == DC_OK);
      CHECK(dc_buffer_write(in.handle, kPixels, x.data() + kPixels, kValues - kPixels) == DC_OK);
      CHECK(dc_model_denoise_resident(model.get(), kRows, in.address, sigma.data(), labels.data(), to) == DC_OK) << dc_last_error();
      CHECK(dc_buffer_read(to == in.address ? in.handle : out.handle, 0, found.data(), kValues) == DC_OK);
      CHECK(std::memcmp(found.data(), brought.data(), kValues * sizeof(float)) == 0) << device;
    }
    CHECK(dc_buffer_read(in.handle, kValues - 1, found.data(), 2) == DC_BAD_ARGUMENT);
    CHECK(dc_buffer_write(in.handle, -1, x.data(), 1) == DC_BAD_ARGUMENT);
    CHECK(dc_model_denoise_resident(model.get(), kRows, in.address + 2, sigma.data(), nullptr, out.address) == DC_BAD_ARGUMENT);
    CHECK(dc_model_denoise_resident(model.get(), kRows, 0, sigma.data(), nullptr, out.address) == DC_BAD_ARGUMENT);
  }
  const auto model = tiny_model("emulator", 1, 8), two = tiny_model("emulator:0,emulator:1", 1, 8);
  const Buffer small("emulator", kValues - 1), right("emulator", kValues);
  for (const std::uint64_t wrong : {small.address, std::uint64_t{reinterpret_cast<std::uintptr_t>(x.data())}}) {
    CHECK(dc_model_denoise_resident(model.get(), kRows, wrong, sigma.data(), nullptr, right.address) == DC_BAD_ARGUMENT);
    CHECK(std::string(dc_last_error()).find("could not work on the images: the address is not in its memory") != std::string::npos) << dc_last_error();
    CHECK(dc_model_denoise_resident(model.get(), kRows, right.address, sigma.data(), nullptr, wrong) == DC_BAD_ARGUMENT);
  }
  CHECK(dc_model_denoise_resident(two.get(), kRows, right.address, sigma.data(), nullptr, right.address) == DC_BAD_ARGUMENT);
}

// One of two devices fails: the call does, in its name.
void test_lost() {
  const auto two = tiny_model("emulator:0,emulator:1", 1, 8);
  const std::vector<TauData> taus = few();
  const Handle classifier = open(two.get(), DC_DC, DC_NOISE_INTEGER, taus, 0);
  std::vector<std::int32_t> cast(taus.size() * 4);
  const auto picture = image(3);
  setenv("DIFFCERT_EMULATOR_LOST", "1", 1);
  CHECK(dc_classifier_votes(classifier.get(), picture.data(), kPixels, 3, DC_PREDICT, 0, 4, cast.data(), nullptr) == DC_DEVICE_LOST);
  CHECK(std::string(dc_last_error()).rfind("The device 'emulator:1' (", 0) == 0) << dc_last_error();
  unsetenv("DIFFCERT_EMULATOR_LOST");
  CHECK(dc_classifier_votes(classifier.get(), picture.data(), kPixels, 3, DC_PREDICT, 0, 1, cast.data(), nullptr) == DC_OK) << dc_last_error();
}

}  // namespace

int main() {
  test_names();
  test_votes();
  test_images();
  test_resident();
  test_lost();
  return check::finish();
}
