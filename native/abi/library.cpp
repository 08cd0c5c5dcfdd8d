// The C ABI's part that needs no model: versions, the last error, and what the devices are.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "abi/guard.hpp"
#include "core/status.hpp"
#include "cpu/kernels.hpp"
#include "diffcert/diffcert.h"
#include "diffcert_digest.hpp"
#include "ops/device.hpp"

namespace diffcert {
namespace {

constexpr std::size_t kSentence = 1000;
thread_local char last_error[kSentence + 1] = "";

std::string trim(const std::string& text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// The processor's name as Linux gives it; a name for people, so a machine without it gets a plain one.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon != std::string::npos) return trim(line.substr(colon + 1));
  }
  return "a processor without a name";
}

std::string instruction_set() { return cpu::choose_kernels("").name; }

std::string build_info() {
  std::string text = "diffcert native " DIFFCERT_VERSION ", ";
#if defined(__clang__)
  text += "clang " __clang_version__;
#else
  text += "gcc " __VERSION__;
#endif
  text += ", CPU code portable, avx2, avx512, here " + instruction_set() + ", CUDA kernels in a library of their own";
  return text;
}

}  // namespace

void set_last_error(std::string_view message) noexcept {
  const std::size_t length = std::min(message.size(), kSentence);
  std::memcpy(last_error, message.data(), length);
  last_error[length] = '\0';
}

namespace {

std::string describe(const std::string& device) {
  const std::string machine =
      processor() + ", " + std::to_string(std::max(1u, std::thread::hardware_concurrency())) + " threads";
  if (device == "cpu") return "cpu: " + machine + ", " + instruction_set();
  if (device == "reference") return "reference: float64, slow, on " + machine;
  return describe_device(device);
}

// A line about a device into the caller's buffer.
dc_status answer(const char* device, char* text, std::int64_t capacity, std::string (*line_of)(const std::string&)) {
  return guard([&] {
    require(device != nullptr && text != nullptr && capacity >= 1, "A device and a buffer of at least one byte are needed.");
    const std::string line = line_of(device);
    const auto length = std::min(line.size(), static_cast<std::size_t>(capacity - 1));
    std::memcpy(text, line.data(), length);
    text[length] = '\0';
  });
}

}  // namespace
}  // namespace diffcert

extern "C" {

uint32_t dc_abi_version(void) { return DC_ABI_VERSION; }

const char* dc_build_info(void) {
  static const std::string text = diffcert::build_info();
  return text.c_str();
}

const char* dc_last_error(void) { return diffcert::last_error; }

const char* dc_build_digest(void) { return DIFFCERT_BUILD_DIGEST; }

dc_status dc_device_describe(const char* device, char* text, int64_t capacity) {
  return diffcert::answer(device, text, capacity, diffcert::describe);
}

dc_status dc_device_identity(const char* device, char* text, int64_t capacity) {
  return diffcert::answer(device, text, capacity, diffcert::device_identity);
}

dc_status dc_device_library(const char* kind, const char* file) {
  return diffcert::guard([&] {
    diffcert::require(kind != nullptr && file != nullptr, "The kind of device or the library's file is missing.");
    diffcert::name_device_library(kind, file);
  });
}
}
