// The C ABI of the noise, for the equality tests between languages.
#include "abi/guard.hpp"
#include "core/noise.hpp"
#include "diffcert/diffcert.h"

namespace diffcert {
namespace {

// A C,H,W position is half of a 32-bit counter word at most.
constexpr std::int64_t kMaxCount = INT64_C(1) << 31;

// The keys of a sample, if there is such a phase.
NoiseKey key_of(std::uint64_t seed, std::uint32_t image_id, dc_phase phase, std::uint32_t sample) {
  require(phase == DC_SELECT || phase == DC_ESTIMATE || phase == DC_PREDICT,
          "A phase of noise is 1 (select), 2 (estimate) or 3 (predict).");
  return {seed, image_id, static_cast<std::uint32_t>(phase), sample};
}

std::size_t size_of(std::int64_t count) {
  require(count >= 0 && count <= kMaxCount, "Noise is drawn for 0 to 2^31 elements.");
  return static_cast<std::size_t>(count);
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

void dc_philox(const uint32_t counter[4], uint64_t key, uint32_t out[4]) {
  if (counter == nullptr || out == nullptr) return;
  const PhiloxBlock block = philox({{counter[0], counter[1], counter[2], counter[3]}}, key);
  for (std::size_t i = 0; i < 4; ++i) out[i] = block.word[i];
}

dc_status dc_integer_noise(const dc_tau* tau, uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample,
                           int64_t count, int32_t* noise, int32_t* ambiguous) {
  return guard([&] {
    require(tau != nullptr && tau->thresholds != nullptr && noise != nullptr && ambiguous != nullptr,
            "Integer noise needs a threshold table and a place for its result.");
    const IntegerNoise law({tau->thresholds, size_of(tau->threshold_count)}, tau->threshold_origin);
    *ambiguous = law.draw(key_of(seed, image_id, phase, sample), {noise, size_of(count)}) ? 0 : 1;
  });
}

dc_status dc_level_noise(uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample, uint32_t level,
                         int64_t count, double* noise) {
  return guard([&] {
    require(noise != nullptr, "Level noise needs a place for its result.");
    require(level <= kMaxNoiseIndex, "A level of noise is at most 65535.");
    draw_normals(key_of(seed, image_id, phase, sample), NoiseStream::level, level, {noise, size_of(count)});
  });
}

dc_status dc_path_noise(int32_t tau_count, const double* sigmas, uint64_t seed, uint32_t image_id, dc_phase phase,
                        uint32_t sample, int64_t count, int32_t* noise, int32_t* ambiguous) {
  return guard([&] {
    require(sigmas != nullptr && noise != nullptr && ambiguous != nullptr && tau_count >= 1,
            "Path noise needs sigmas and a place for its result.");
    const PathNoise law({sigmas, static_cast<std::size_t>(tau_count)});
    const std::size_t size = size_of(count) * static_cast<std::size_t>(tau_count);
    *ambiguous = law.draw(key_of(seed, image_id, phase, sample), count, {noise, size}) ? 0 : 1;
  });
}

}  // extern "C"
