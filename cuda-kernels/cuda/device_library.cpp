// Finds the library of a device beside this one (or in DIFFCERT_DEVICE_PATH), opens it once, and refuses one of another build.
#include "cuda/device_library.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "core/status.hpp"
#include "diffcert_digest.hpp"

namespace diffcert::cuda {
namespace {

std::string own_directory() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_directory), &info) == 0 || info.dli_fname == nullptr) return ".";
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string last_problem() {
  const char* why = dlerror();
  return why != nullptr ? why : "no reason given";
}

[[noreturn]] void unavailable(const std::string& device, const std::string& why) {
  throw Error(DC_DEVICE_UNAVAILABLE, "The device '" + device + "' is not there: " + why + ".");
}

// What is known of the libraries; all of it under the lock.
struct Libraries {
  std::mutex lock;
  std::map<std::string, std::string> named;
  std::map<std::string, const dc_backend*> loaded;
};

Libraries& libraries() {
  static Libraries all;
  return all;
}

const dc_backend* load(const std::string& kind, const std::string& device) {
  // The driver first: without it the CUDA runtime only says that the driver is too old.
  if (kind == "cuda" && dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    unavailable(device, "no CUDA driver (" + last_problem() + "); install NVIDIA's driver of version 580 or later, or use the device cpu");
  }
  const std::string file = "libdiffcert-" + kind + ".so";
  const char* given = std::getenv("DIFFCERT_DEVICE_PATH");
  const auto named = libraries().named.find(kind);
  const std::string path = given != nullptr && *given != '\0'    ? std::string(given) + "/" + file
                           : named != libraries().named.end() ? named->second
                                                              : own_directory() + "/" + file;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: CUDA cannot be unloaded
  if (library == nullptr) unavailable(device, "no kernels for it (" + last_problem() + "); build diffcert where there is an nvcc, or use the device cpu");
  const auto entry = reinterpret_cast<dc_backend_entry>(dlsym(library, DC_BACKEND_ENTRY));
  if (entry == nullptr) unavailable(device, path + " is not a library of diffcert");
  const dc_backend* backend = entry();
  // Another version's table may end before its source.
  if (backend->version != DC_BACKEND_VERSION || backend->kernels != kernel_list_digest() ||
      std::strcmp(backend->source, DIFFCERT_SOURCE_DIGEST) != 0) {
    unavailable(device, path + " is of another build of diffcert");
  }
  return backend;
}

const dc_backend* library_of(const std::string& kind, const std::string& device) {
  Libraries& all = libraries();
  const std::lock_guard hold(all.lock);
  const auto found = all.loaded.find(kind);
  if (found != all.loaded.end()) return found->second;
  return all.loaded[kind] = load(kind, device);
}

}  // namespace

std::shared_ptr<Device> Device::open(const std::string& name) {
  const auto colon = name.find(':');
  const std::string kind = name.substr(0, colon), number = colon == std::string::npos ? "0" : name.substr(colon + 1);
  const bool numbered = !number.empty() && number.size() < 4 && number.find_first_not_of("0123456789") == std::string::npos;
  if ((kind != "cuda" && kind != "emulator") || !numbered) {
    throw Error(DC_BAD_ARGUMENT, "There is no device '" + name + "'; the devices are cpu, reference, cuda and cuda:i.");
  }
  const dc_backend* backend = library_of(kind, name);
  const std::int32_t index = std::stoi(number), there = count(kind);
  if (index >= there) unavailable(name, "the machine has " + std::to_string(there) + (there == 1 ? " device" : " devices"));
  return std::shared_ptr<Device>(new Device(name, backend, index));
}

std::int32_t Device::count(const std::string& kind) {
  const dc_backend* backend = library_of(kind, kind);
  std::int32_t count = 0;
  if (backend->device_count(&count) != DC_OK) unavailable(kind, backend->error_text());
  return count;
}

Device::Device(std::string name, const dc_backend* backend, std::int32_t index) : name_(std::move(name)), backend_(backend) {
  check(backend_->open(index, &context_), "open");
  card_ = properties().name;
}

Device::~Device() {
  if (context_ != nullptr) backend_->close(context_);
}

dc_backend_properties Device::properties() const {
  dc_backend_properties properties{};
  check(backend_->properties(context_, &properties), "describe itself");
  return properties;
}

std::string Device::describe() const {
  const dc_backend_properties p = properties();
  std::string line = name_ + ": " + p.name;
  if (p.compute > 0) {
    line += ", compute capability " + std::to_string(p.compute / 10) + "." + std::to_string(p.compute % 10) + ", " +
            std::to_string(p.processors) + " multiprocessors, " + std::to_string(p.free >> 20) + " of " + std::to_string(p.memory >> 20) + " MiB free";
  }
  return line;
}

void Device::check(int status, const char* doing) const {
  if (status == DC_OK) return;
  const std::string card = card_.empty() ? "" : " (" + card_ + ")";
  throw Error(static_cast<dc_status>(status), "The device '" + name_ + "'" + card + " could not " + doing + ": " + backend_->error_text() + ".");
}

void Device::check_memory(const void* memory, std::int64_t bytes) const {
  check(backend_->check_memory(context_, memory, bytes), "work on the images");
}

void Device::upload(void* to, const void* from, std::int64_t bytes) { check(backend_->upload(context_, to, from, bytes), "take data"); }
void Device::download(void* to, const void* from, std::int64_t bytes) { check(backend_->download(context_, to, from, bytes), "give its results"); }
void Device::synchronize() { check(backend_->synchronize(context_), "finish its work"); }
void Device::mark(std::int32_t which) { check(backend_->mark(context_, which), "tell the time"); }
double Device::elapsed() {
  float milliseconds = 0;
  check(backend_->elapsed(context_, &milliseconds), "tell the time");
  return static_cast<double>(milliseconds);
}

void Device::launch_any(std::int32_t kernel, Grid grid, std::uint32_t threads, std::int64_t shared_bytes, const void* params) {
  const std::uint32_t blocks[3] = {grid.x, grid.y, grid.z}, block[3] = {threads, 1, 1};
  check(backend_->launch(context_, kernel, blocks, block, shared_bytes, params), "run a kernel");
}

DeviceGraph Device::capture(const std::function<void()>& body) {
  check(backend_->begin_capture(context_), "begin a graph");
  void* graph = nullptr;
  try {
    body();
  } catch (...) {
    // The stream must leave its capture whatever became of it; the first error is the one to tell.
    if (backend_->end_capture(context_, &graph) == DC_OK) backend_->release_graph(context_, graph);
    throw;
  }
  check(backend_->end_capture(context_, &graph), "make a graph");
  return {shared_from_this(), graph};
}

void Device::replay(const DeviceGraph& graph) { check(backend_->replay(context_, graph.thing()), "run a graph"); }

Owned::~Owned() {
  if (thing_ != nullptr) (device_->backend_->*release_)(device_->context_, thing_);
}

Owned::Owned(Owned&& other) noexcept
    : device_(std::move(other.device_)), thing_(std::exchange(other.thing_, nullptr)), release_(other.release_) {}

Owned& Owned::operator=(Owned&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(thing_, other.thing_);
  std::swap(release_, other.release_);
  return *this;
}

namespace {

// Calls allocate for some bytes; none need none.
template <class Allocate>
void* some(std::int64_t bytes, Allocate allocate) {
  void* memory = nullptr;
  if (bytes > 0) allocate(&memory);
  return memory;
}

}  // namespace

DeviceMemory::DeviceMemory(const std::shared_ptr<Device>& device, std::int64_t bytes)
    : Owned(device, some(bytes, [&](void** at) { device->check(device->backend_->allocate(device->context_, bytes, at), "give memory"); }),
            &dc_backend::release),
      bytes_(bytes) {}

HostMemory::HostMemory(const std::shared_ptr<Device>& device, std::int64_t bytes)
    : Owned(device,
            some(bytes, [&](void** at) { device->check(device->backend_->allocate_host(device->context_, bytes, at), "lock memory of the host"); }),
            &dc_backend::release_host),
      bytes_(bytes) {}

}  // namespace diffcert::cuda

namespace diffcert {

void name_device_library(const std::string& kind, const std::string& file) {
  cuda::Libraries& all = cuda::libraries();
  const std::lock_guard hold(all.lock);
  all.named[kind] = file;
}

}  // namespace diffcert
