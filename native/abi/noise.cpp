// The C ABI of the noise, for the equality tests between languages.
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "abi/last_error.hpp"
#include "core/noise.hpp"
#include "diffcert/diffcert.h"

namespace diffcert {
namespace {

// A C,H,W position is half of a 32-bit counter word at most.
constexpr std::int64_t kMaxCount = INT64_C(1) << 31;

dc_status refuse(std::string_view message) noexcept {
  set_last_error(message);
  return DC_BAD_ARGUMENT;
}

bool good_phase(dc_phase phase) { return phase == DC_SELECT || phase == DC_ESTIMATE || phase == DC_PREDICT; }

// Runs the body; what it throws becomes a status.
template <class Body>
dc_status guarded(Body body) noexcept {
  try {
    body();
    return DC_OK;
  } catch (const std::bad_alloc&) {
    set_last_error("There is not enough memory for the noise of this many elements.");
    return DC_OUT_OF_MEMORY;
  } catch (const std::invalid_argument& e) {
    return refuse(e.what());
  } catch (const std::exception& e) {
    set_last_error(e.what());
    return DC_INTERNAL;
  }
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

void dc_philox(const uint32_t counter[4], uint64_t key, uint32_t out[4]) {
  if (counter == nullptr || out == nullptr) return;
  const auto words = philox({counter[0], counter[1], counter[2], counter[3]}, key);
  for (int i = 0; i < 4; ++i) out[i] = words[static_cast<std::size_t>(i)];
}

dc_status dc_integer_noise(const dc_tau* tau, uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample, int64_t count,
                           int32_t* noise, int32_t* ambiguous) {
  if (tau == nullptr || tau->thresholds == nullptr || tau->threshold_count < 1 || noise == nullptr || ambiguous == nullptr) {
    return refuse("Integer noise needs a threshold table and a place for its result.");
  }
  if (!good_phase(phase) || count < 0 || count > kMaxCount || tau->threshold_count > kMaxCount) {
    return refuse("Integer noise was asked for an unknown phase or an impossible number of elements.");
  }
  return guarded([&] {
    const IntegerNoise law({tau->thresholds, static_cast<std::size_t>(tau->threshold_count)}, tau->threshold_origin);
    const NoiseKey key{seed, image_id, static_cast<std::uint32_t>(phase), sample};
    *ambiguous = law.draw(key, {noise, static_cast<std::size_t>(count)}) ? 0 : 1;
  });
}

dc_status dc_level_noise(uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample, uint32_t level, int64_t count,
                         double* noise) {
  if (noise == nullptr || !good_phase(phase) || level > kMaxNoiseIndex || count < 0 || count > kMaxCount) {
    return refuse("Level noise takes a phase of 1 to 3, a level below 65536 and a place for its result.");
  }
  const NoiseKey key{seed, image_id, static_cast<std::uint32_t>(phase), sample};
  draw_normals(key, NoiseStream::level, level, {noise, static_cast<std::size_t>(count)});
  return DC_OK;
}

dc_status dc_path_noise(int32_t tau_count, const double* sigmas, uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample,
                        int64_t count, int32_t* noise, int32_t* ambiguous) {
  if (sigmas == nullptr || noise == nullptr || ambiguous == nullptr || tau_count < 1 || !good_phase(phase) || count < 0 ||
      count > kMaxCount) {
    return refuse("Path noise takes sigmas, a phase of 1 to 3 and a place for its result.");
  }
  return guarded([&] {
    const PathNoise law({sigmas, static_cast<std::size_t>(tau_count)});
    const NoiseKey key{seed, image_id, static_cast<std::uint32_t>(phase), sample};
    const auto size = static_cast<std::size_t>(count) * static_cast<std::size_t>(tau_count);
    *ambiguous = law.draw(key, count, {noise, size}) ? 0 : 1;
  });
}

}  // extern "C"
