// The noise: known answers, the digests that Java's NoiseVectorsTest checks too (docs/spec/noise.md), ambiguity, and
// what the ABI refuses.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "check.hpp"
#include "core/noise.hpp"
#include "diffcert/diffcert.h"

namespace {

constexpr std::uint64_t kSeed = 0x0123456789abcdefull;
constexpr std::uint32_t kImage = 3, kSample = 17;
constexpr std::int64_t kMillion = 1000000;

std::string root() {
  const char* directory = std::getenv("DIFFCERT_ROOT");
  return directory == nullptr ? "." : directory;
}

std::vector<std::uint64_t> table() {
  std::ifstream file(root() + "/tests/native/vectors/thresholds-sigma-0.25.txt");
  std::vector<std::uint64_t> thresholds;
  for (std::string line; std::getline(file, line);) thresholds.push_back(std::stoull(line, nullptr, 16));
  return thresholds;
}

struct Fnv {
  std::uint64_t state = 0xcbf29ce484222325ull;
  void add(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) state = (state ^ ((value >> (8 * i)) & 0xff)) * 0x100000001b3ull;
  }
};

// The spec page holds the row with this digest.
bool page_has(const std::string& what, const Fnv& digest) {
  std::ifstream file(root() + "/docs/spec/noise.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(digest.state));
  const std::string row = "| " + what + " | `" + hex + "` |";
  if (page.find(row) == std::string::npos) std::cerr << "docs/spec/noise.md has no row " << row << '\n';
  return page.find(row) != std::string::npos;
}

void philox_known_answers() {
  const std::uint32_t vectors[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
      0x24126ea1}};
  for (const auto& v : vectors) {
    std::uint32_t out[4];
    dc_philox(v, v[4] | static_cast<std::uint64_t>(v[5]) << 32, out);
    for (int i = 0; i < 4; ++i) CHECK(out[i] == v[6 + i]) << "word " << i << " is " << out[i];
  }
}

void digests() {
  const auto thresholds = table();
  CHECK(thresholds.size() == 1020) << thresholds.size();
  dc_tau tau{};
  tau.thresholds = thresholds.data();
  tau.threshold_count = static_cast<std::int64_t>(thresholds.size());
  tau.threshold_origin = -510;
  std::vector<std::int32_t> noise(kMillion);
  std::int32_t ambiguous = -1;
  CHECK(dc_integer_noise(&tau, kSeed, kImage, DC_ESTIMATE, kSample, kMillion, noise.data(),
      &ambiguous) == DC_OK) << dc_last_error();
  CHECK(ambiguous == 0);
  Fnv integers;
  for (const auto m : noise) integers.add(static_cast<std::uint32_t>(m), 4);
  CHECK(page_has("integer noise, sigma 0.25", integers));

  std::vector<double> normals(kMillion);
  CHECK(dc_level_noise(kSeed, kImage, DC_ESTIMATE, kSample, 5, kMillion, normals.data()) == DC_OK) << dc_last_error();
  Fnv reals;
  for (const double z : normals) reals.add(std::bit_cast<std::uint64_t>(z), 8);
  CHECK(page_has("normals, stream 1, index 5", reals));

  Fnv tails;
  for (int shift = 0; shift < 64; ++shift) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const std::uint64_t u = (i * 0x9e3779b97f4a7c15ull) >> shift;
      tails.add(std::bit_cast<std::uint64_t>(diffcert::inverse_normal(u)), 8);
      tails.add(std::bit_cast<std::uint64_t>(diffcert::inverse_normal(~u)), 8);
    }
  }
  CHECK(page_has("normals of 128,000 arguments into the tails", tails));

  const double sigmas[3] = {0.25, 0.5, 1.0};
  const std::int64_t count = 333667;
  std::vector<std::int32_t> path(3 * count);
  CHECK(dc_path_noise(3, sigmas, kSeed, kImage, DC_ESTIMATE, kSample, count, path.data(),
      &ambiguous) == DC_OK) << dc_last_error();
  CHECK(ambiguous == 0);
  Fnv paths;
  for (const auto m : path) paths.add(static_cast<std::uint32_t>(m), 4);
  CHECK(page_has("path noise, sigmas 0.25, 0.5, 1, 333,667 elements each", paths));
}

// A draw is a prefix of a longer one, and equal thresholds to a draw make it ambiguous.
void ambiguity() {
  const diffcert::NoiseKey key{kSeed, kImage, DC_SELECT, kSample};
  const auto pair = key.uniforms(diffcert::NoiseStream::smoothing, 0, 0);
  const std::uint64_t low = std::min(pair[0], pair[1]), high = std::max(pair[0], pair[1]);
  std::int32_t noise[2];
  const std::vector<std::uint64_t> between{low - 1, low + 1, high - 1};
  CHECK(diffcert::IntegerNoise(between, -2).draw(key, noise));
  CHECK(std::min(noise[0], noise[1]) == -1 && std::max(noise[0], noise[1]) == 1) << noise[0] << ' ' << noise[1];
  const std::vector<std::uint64_t> hit{low, high - 1};
  CHECK(!diffcert::IntegerNoise(hit, 0).draw(key, noise));
  CHECK(std::min(noise[0], noise[1]) == 0 && std::max(noise[0], noise[1]) == 2) << noise[0] << ' ' << noise[1];
  // The first bin and the last: every entry of a table full of repetitions is found.
  const std::vector<std::uint64_t> ends{0, 0, 0, low, ~0ull, ~0ull};
  CHECK(!diffcert::IntegerNoise(ends, 0).draw(key, noise));
  CHECK(std::max(noise[0], noise[1]) == 4) << noise[0] << ' ' << noise[1];
}

void refusals() {
  dc_tau tau{};
  std::int32_t noise[4], ambiguous;
  const double descending[2] = {0.5, 0.25}, large[1] = {2.5};
  CHECK(dc_integer_noise(&tau, 1, 0, DC_SELECT, 0, 1, noise, &ambiguous) == DC_BAD_ARGUMENT);
  const std::uint64_t thresholds[2] = {5, 4};
  tau.thresholds = thresholds;
  tau.threshold_count = 2;
  CHECK(dc_integer_noise(&tau, 1, 0, DC_SELECT, 0, 1, noise, &ambiguous) == DC_BAD_ARGUMENT) << "descending thresholds";
  CHECK(dc_integer_noise(&tau, 1, 0, static_cast<dc_phase>(0), 0, 1, noise,
      &ambiguous) == DC_BAD_ARGUMENT) << "phase 0";
  CHECK(dc_path_noise(2, descending, 1, 0, DC_SELECT, 0, 1, noise, &ambiguous) == DC_BAD_ARGUMENT);
  CHECK(dc_path_noise(1, large, 1, 0, DC_SELECT, 0, 1, noise, &ambiguous) == DC_BAD_ARGUMENT);
  CHECK(dc_level_noise(1, 0, DC_SELECT, 0, 65536, 1, nullptr) == DC_BAD_ARGUMENT);
  CHECK(std::string(dc_last_error()).size() > 10);
}

}  // namespace

int main() {
  philox_known_answers();
  digests();
  ambiguity();
  refusals();
  return check::finish();
}
