// A device of a library of kernels, as C++: opened by name, its memory owned, its failures thrown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cuda/backend.h"
#include "kernels/kernel_list.hpp"

namespace diffcert::cuda {

struct Grid {
  std::uint32_t x = 1, y = 1, z = 1;
};

class Device {
 public:
  // "cuda", "cuda:i" or "emulator". DC_BAD_ARGUMENT: no such name; DC_DEVICE_UNAVAILABLE: not here, and why.
  static std::shared_ptr<Device> open(const std::string& name);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  dc_backend_properties properties() const;
  std::string describe() const;  // one line

  void upload(void* to, const void* from, std::int64_t bytes);
  void download(void* to, const void* from, std::int64_t bytes);
  template <Kernel kernel>
  void launch(Grid grid, std::uint32_t threads, std::int64_t shared_bytes, const typename ParamsOf<kernel>::type& params) {
    launch_any(static_cast<std::int32_t>(kernel), grid, threads, shared_bytes, &params);
  }
  void synchronize();
  // Marks the stream's beginning (0) or end (1) of what elapsed then tells, in milliseconds.
  void mark(std::int32_t which);
  double elapsed();

 private:
  friend class DeviceMemory;
  Device(std::string name, const dc_backend* backend, std::int32_t index);
  void launch_any(std::int32_t kernel, Grid grid, std::uint32_t threads, std::int64_t shared_bytes, const void* params);
  void check(int status, const char* doing) const;

  std::string name_;
  const dc_backend* backend_;
  void* context_ = nullptr;
};

// Bytes on a device. Throws DC_OUT_OF_MEMORY.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<Device> device, std::int64_t bytes);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  void* data() const { return memory_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Device> device_;
  void* memory_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace diffcert::cuda
