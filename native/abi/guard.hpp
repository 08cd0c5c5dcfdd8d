// The wall of the C ABI: whatever the core throws becomes a status code and a sentence; no exception leaves.
#pragma once

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>

#include "abi/last_error.hpp"
#include "core/status.hpp"

namespace diffcert {

// Runs body and reports what it throws. Every exported function that can fail is one call of this.
template <class Body>
dc_status guard(Body&& body) noexcept {
  try {
    body();
    return DC_OK;
  } catch (const Error& e) {
    set_last_error(e.what());
    return e.status;
  } catch (const std::bad_alloc&) {
    set_last_error("There is not enough memory.");
    return DC_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    set_last_error(e.what());
    return DC_INTERNAL;
  } catch (...) {
    set_last_error("The native core failed in an unknown way.");
    return DC_INTERNAL;
  }
}

// A C caller may pass any number as an enum; reading such a one as the enum is undefined, so it is checked as bytes first.
template <class Enum>
void require_in(const Enum& value, Enum first, Enum last, const char* sentence) {
  static_assert(sizeof(Enum) == sizeof(std::uint32_t));
  std::uint32_t number = 0;
  std::memcpy(&number, &value, sizeof number);
  require(number >= static_cast<std::uint32_t>(first) && number <= static_cast<std::uint32_t>(last), sentence);
}

}  // namespace diffcert
