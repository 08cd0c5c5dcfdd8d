// A device of a library of kernels, as C++: opened by name, what it gives is owned, its failures are thrown.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cuda/backend.h"
#include "kernels/kernel_list.hpp"

namespace diffcert::cuda {

struct Grid {
  std::uint32_t x = 1, y = 1, z = 1;
};
// Blocks of `each` for `count`.
inline std::uint32_t blocks(std::int64_t count, std::int64_t each) { return static_cast<std::uint32_t>((count + each - 1) / each); }

class DeviceGraph;

class Device : public std::enable_shared_from_this<Device> {
 public:
  // "cuda", "cuda:i", "emulator" or "emulator:i". DC_BAD_ARGUMENT: no such name; DC_DEVICE_UNAVAILABLE: not here, and why.
  static std::shared_ptr<Device> open(const std::string& name);
  // How many devices of a kind ("cuda", "emulator") there are; throws as open where there is no library.
  static std::int32_t count(const std::string& kind);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  dc_backend_properties properties() const;
  std::string describe() const;  // one line

  // Throws DC_BAD_ARGUMENT unless [memory, memory + bytes) lies in this device's memory.
  void check_memory(const void* memory, std::int64_t bytes) const;
  void upload(void* to, const void* from, std::int64_t bytes);
  void download(void* to, const void* from, std::int64_t bytes);
  template <Kernel kernel>
  void launch(Grid grid, std::uint32_t threads, std::int64_t shared_bytes, const typename ParamsOf<kernel>::type& params) {
    launch_any(static_cast<std::int32_t>(kernel), grid, threads, shared_bytes, &params);
  }
  void synchronize();
  // What the body launches, and nothing else may it do, as a graph; none of it is carried out.
  DeviceGraph capture(const std::function<void()>& body);
  void replay(const DeviceGraph& graph);
  // Marks the stream's beginning (0) or end (1) of what elapsed then tells, in milliseconds.
  void mark(std::int32_t which);
  double elapsed();

 private:
  friend class Owned;
  friend class DeviceMemory;
  friend class HostMemory;
  Device(std::string name, const dc_backend* backend, std::int32_t index);
  void launch_any(std::int32_t kernel, Grid grid, std::uint32_t threads, std::int64_t shared_bytes, const void* params);
  void check(int status, const char* doing) const;

  std::string name_, card_;  // as users say it, as the driver says it
  const dc_backend* backend_;
  void* context_ = nullptr;
};

// Something that a device gave and takes back with its owner; the device stays as long.
class Owned {
 public:
  ~Owned();
  Owned(Owned&& other) noexcept;
  Owned& operator=(Owned&& other) noexcept;

 protected:
  using Release = int (*dc_backend::*)(void*, void*);
  Owned() = default;
  Owned(std::shared_ptr<Device> device, void* thing, Release release) : device_(std::move(device)), thing_(thing), release_(release) {}
  void* thing() const { return thing_; }

 private:
  std::shared_ptr<Device> device_;
  void* thing_ = nullptr;
  Release release_ = nullptr;
};

// Bytes on a device. Throws DC_OUT_OF_MEMORY.
class DeviceMemory : public Owned {
 public:
  DeviceMemory() = default;
  DeviceMemory(const std::shared_ptr<Device>& device, std::int64_t bytes);
  void* data() const { return thing(); }
  std::int64_t bytes() const { return thing() == nullptr ? 0 : bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

// Bytes of the host, page-locked: uploads from them do not wait. Throws DC_OUT_OF_MEMORY.
class HostMemory : public Owned {
 public:
  HostMemory() = default;
  HostMemory(const std::shared_ptr<Device>& device, std::int64_t bytes);
  void* data() const { return thing(); }
  std::int64_t bytes() const { return thing() == nullptr ? 0 : bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

// Launches that are replayed with the parameters they were captured with.
class DeviceGraph : public Owned {
 private:
  friend class Device;
  DeviceGraph(const std::shared_ptr<Device>& device, void* graph) : Owned(device, graph, &dc_backend::release_graph) {}
};

}  // namespace diffcert::cuda
