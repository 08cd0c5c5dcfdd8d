// libdiffcert-emulator.so: the device "emulator", the same entry point as the CUDA library over the emulated machine.
//
// DIFFCERT_EMULATOR_SEED chooses the order of threads and blocks (machine.hpp); 0 if absent.
#include "cuda/backend.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "core/status.hpp"
#include "emulator/machine.hpp"
#include "kernels/kernel_list.hpp"

namespace diffcert {

#define X(name, Params) void name(const Params& p);
DIFFCERT_KERNELS(X)
#undef X

namespace {

struct Entry {
  const char* name;
  void (*body)(const void*);
};

const Entry kernels[] = {
#define X(name, Params) {#name, [](const void* params) { name(*static_cast<const Params*>(params)); }},
    DIFFCERT_KERNELS(X)
#undef X
};

thread_local std::string text;

int failed(dc_status status, std::string why) {
  text = std::move(why);
  return status;
}

int allocate(void*, std::int64_t bytes, void** memory) {
  // A small device: what a test asks for beyond it is a test of running out.
  constexpr std::int64_t kMost = std::int64_t{64} << 20;
  if (bytes > kMost) return failed(DC_OUT_OF_MEMORY, "out of memory");
  try {
    *memory = emulator::allocate_global(bytes);
    return DC_OK;
  } catch (const std::bad_alloc&) {
    return failed(DC_OUT_OF_MEMORY, "out of memory");
  }
}

int release(void*, void* memory) {
  const std::string wrong = emulator::free_global(memory);
  return wrong.empty() ? DC_OK : failed(DC_INTERNAL, wrong);
}

int copy(void*, void* to, const void* from, std::int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
  return DC_OK;
}

int launch(void*, std::int32_t kernel, const std::uint32_t grid[3], const std::uint32_t block[3], std::int64_t shared_bytes, const void* params) {
  const Entry& entry = kernels[kernel];
  const char* seed = std::getenv("DIFFCERT_EMULATOR_SEED");
  const auto fault = emulator::run({entry.name, entry.body, params, {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared_bytes,
                                    seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10)});
  if (fault) {
    const std::string& sentence = fault->text;
    return failed(DC_DEVICE_LOST, sentence.substr(0, sentence.size() - 1));  // the caller ends the sentence
  }
  return DC_OK;
}

int synchronize(void*) {
  const std::string wrong = emulator::check_guards();
  return wrong.empty() ? DC_OK : failed(DC_DEVICE_LOST, wrong);
}

int properties(void*, dc_backend_properties* p) {
  std::snprintf(p->name, sizeof p->name, "CUDA kernels run on the CPU, for tests");
  p->processors = static_cast<std::int32_t>(std::thread::hardware_concurrency());
  return DC_OK;
}

const dc_backend backend = {
    DC_BACKEND_VERSION,
    kernel_list_digest(),
    [] { return text.c_str(); },
    [](std::int32_t* count) -> int { return *count = 1, DC_OK; },
    [](std::int32_t, void**) -> int { return DC_OK; },
    [](void*) {},
    properties,
    allocate,
    release,
    copy,
    [](void* context, void* to, const void* from, std::int64_t bytes) -> int {
      const int status = synchronize(context);
      return status != DC_OK ? status : copy(context, to, from, bytes);
    },
    launch,
    synchronize,
    [](void*, std::int32_t) -> int { return DC_OK; },
    [](void*, float* milliseconds) -> int { return *milliseconds = 0, DC_OK; },
};

}  // namespace
}  // namespace diffcert

extern "C" __attribute__((visibility("default"))) const dc_backend* diffcert_backend() { return &diffcert::backend; }
