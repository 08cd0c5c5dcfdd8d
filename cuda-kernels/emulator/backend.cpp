// libdiffcert-emulator.so: the device "emulator", the same entry point as the CUDA library over the emulated machine.
//
// There are four devices, which share one memory; a graph is a list of launches that is run again.
// DIFFCERT_EMULATOR_SEED chooses the order of threads and blocks (machine.hpp); 0 if absent.
// DIFFCERT_EMULATOR_COMPUTE is the compute capability that the devices say they have (90: the kernels of Hopper are run); 0, any, if absent.
// DIFFCERT_EMULATOR_LOST=i makes device i fail at every launch, as a GPU does that has fallen off its bus: for the tests of that.
#include "cuda/backend.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/status.hpp"
#include "diffcert_digest.hpp"
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
  std::size_t bytes;  // of its params
};

const Entry kernels[] = {
#define X(name, Params) {#name, [](const void* params) { name(*static_cast<const Params*>(params)); }, sizeof(Params)},
    DIFFCERT_KERNELS(X)
#undef X
};

constexpr std::int32_t kDevices = 4, kProcessors = 4;
// A small device: what a test asks for beyond it is a test of running out.
constexpr std::int64_t kMemory = std::int64_t{64} << 20;

struct Recorded {
  std::int32_t kernel;
  emulator::Dim grid, block;
  std::int64_t shared_bytes;
  std::vector<unsigned char> params;
};
using Graph = std::vector<Recorded>;

struct Context {
  std::int32_t device = 0;
  Graph* recording = nullptr;
};

thread_local std::string text;

int failed(dc_status status, std::string why) {
  text = std::move(why);
  return status;
}

Context& of(void* context) { return *static_cast<Context*>(context); }

// A GPU refuses it, too.
int refuse_in_capture(void* context) {
  return of(context).recording == nullptr ? DC_OK : failed(DC_INTERNAL, "something other than a launch between begin_capture and end_capture");
}

int allocate(void* context, std::int64_t bytes, void** memory) {
  if (const int status = refuse_in_capture(context); status != DC_OK) return status;
  if (bytes > kMemory) return failed(DC_OUT_OF_MEMORY, "out of memory");
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

int copy(void* context, void* to, const void* from, std::int64_t bytes) {
  if (const int status = refuse_in_capture(context); status != DC_OK) return status;
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
  return DC_OK;
}

int run(const Recorded& launch, const void* params) {
  const Entry& entry = kernels[launch.kernel];
  const char* seed = std::getenv("DIFFCERT_EMULATOR_SEED");
  const auto fault = emulator::run({entry.name, entry.body, params, launch.grid, launch.block, launch.shared_bytes,
                                    seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10)});
  if (fault) {
    const std::string& sentence = fault->text;
    return failed(DC_DEVICE_LOST, sentence.substr(0, sentence.size() - 1));  // the caller ends the sentence
  }
  return DC_OK;
}

int launch(void* context, std::int32_t kernel, const std::uint32_t grid[3], const std::uint32_t block[3], std::int64_t shared_bytes, const void* params) {
  const char* lost = std::getenv("DIFFCERT_EMULATOR_LOST");
  if (lost != nullptr && std::atoi(lost) == of(context).device) return failed(DC_DEVICE_LOST, "it is lost, as DIFFCERT_EMULATOR_LOST says");
  const Recorded launch{kernel, {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared_bytes, {}};
  if (Graph* graph = of(context).recording) {
    const auto* bytes = static_cast<const unsigned char*>(params);
    graph->push_back(launch);
    graph->back().params.assign(bytes, bytes + kernels[kernel].bytes);
    return DC_OK;
  }
  return run(launch, params);
}

int begin_capture(void* context) {
  if (const int status = refuse_in_capture(context); status != DC_OK) return status;
  of(context).recording = new Graph;
  return DC_OK;
}

int end_capture(void* context, void** graph) {
  *graph = std::exchange(of(context).recording, nullptr);
  return *graph != nullptr ? DC_OK : failed(DC_INTERNAL, "no capture was begun");
}

int replay(void* context, void* graph) {
  if (const int status = refuse_in_capture(context); status != DC_OK) return status;
  for (const Recorded& launch : *static_cast<const Graph*>(graph)) {
    if (const int status = run(launch, launch.params.data()); status != DC_OK) return status;
  }
  return DC_OK;
}

int synchronize(void* context) {
  if (const int status = refuse_in_capture(context); status != DC_OK) return status;
  const std::string wrong = emulator::check_guards();
  return wrong.empty() ? DC_OK : failed(DC_DEVICE_LOST, wrong);
}

int properties(void*, dc_backend_properties* p) {
  std::snprintf(p->name, sizeof p->name, "CUDA kernels run on the CPU, for tests");
  const char* compute = std::getenv("DIFFCERT_EMULATOR_COMPUTE");
  p->compute = compute == nullptr ? 0 : std::atoi(compute);
  p->memory = p->free = kMemory;
  p->processors = kProcessors;
  return DC_OK;
}

const dc_backend backend = {
    DC_BACKEND_VERSION,
    kernel_list_digest(),
    DIFFCERT_SOURCE_DIGEST,
    [] { return text.c_str(); },
    [](std::int32_t* count) -> int { return *count = kDevices, DC_OK; },
    [](std::int32_t device, void** context) -> int { return *context = new Context{device}, DC_OK; },
    [](void* context) { delete &of(context); },
    properties,
    allocate,
    release,
    [](void*, const void* memory, std::int64_t bytes) -> int {
      return emulator::holds_global(memory, bytes) ? DC_OK : failed(DC_BAD_ARGUMENT, "the address is not in its memory");
    },
    [](void*, std::int64_t bytes, void** memory) -> int {
      *memory = ::operator new(static_cast<std::size_t>(bytes), std::nothrow);
      return *memory != nullptr ? DC_OK : failed(DC_OUT_OF_MEMORY, "out of memory");
    },
    [](void*, void* memory) -> int { return ::operator delete(memory), DC_OK; },
    copy,
    [](void* context, void* to, const void* from, std::int64_t bytes) -> int {
      const int status = synchronize(context);
      return status != DC_OK ? status : copy(context, to, from, bytes);
    },
    launch,
    synchronize,
    begin_capture,
    end_capture,
    replay,
    [](void*, void* graph) -> int { return delete static_cast<Graph*>(graph), DC_OK; },
    [](void*, std::int32_t) -> int { return DC_OK; },
    [](void*, float* milliseconds) -> int { return *milliseconds = 0, DC_OK; },
};

}  // namespace
}  // namespace diffcert

extern "C" __attribute__((visibility("default"))) const dc_backend* diffcert_backend() { return &diffcert::backend; }
