// The C ABI of device memory: float32 values on a device, or on the host for the devices that compute there.
#include <algorithm>
#include <string>

#include "abi/guard.hpp"
#include "core/arena.hpp"
#include "core/status.hpp"
#include "cuda/device_library.hpp"
#include "diffcert/diffcert.h"

struct dc_buffer {
  std::shared_ptr<diffcert::cuda::Device> device;  // null: the host's memory
  diffcert::cuda::DeviceMemory there;
  diffcert::AlignedBuffer<float> here;
  std::int64_t values;

  float* data() const { return device != nullptr ? static_cast<float*>(there.data()) : const_cast<float*>(here.data()); }
};

namespace diffcert {
namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 40;

std::int64_t bytes(std::int64_t values) { return values * static_cast<std::int64_t>(sizeof(float)); }

void check_part(const dc_buffer* buffer, std::int64_t from, const float* values, std::int64_t count) {
  require(buffer != nullptr && (values != nullptr || count == 0), "The buffer or the values are missing.");
  require(from >= 0 && count >= 0 && count <= buffer->values && from <= buffer->values - count, "The part is not in the buffer.");
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

dc_status dc_buffer_create(const char* device, int64_t values, dc_buffer** buffer) {
  return guard([&] {
    require(device != nullptr && buffer != nullptr, "The device or the place for the buffer is missing.");
    require(values >= 1 && values <= kMostValues, "A buffer has 1 to 2^40 values.");
    const std::string name = device;
    if (name == "cpu" || name == "reference") {
      *buffer = new dc_buffer{nullptr, {}, AlignedBuffer<float>(values), values};
      return;
    }
    const auto opened = cuda::Device::open(name);
    *buffer = new dc_buffer{opened, cuda::DeviceMemory(opened, bytes(values)), {}, values};
  });
}

dc_status dc_buffer_address(const dc_buffer* buffer, uint64_t* address) {
  return guard([&] {
    require(buffer != nullptr && address != nullptr, "The buffer or the place for its address is missing.");
    *address = reinterpret_cast<std::uintptr_t>(buffer->data());
  });
}

dc_status dc_buffer_write(dc_buffer* buffer, int64_t from, const float* values, int64_t count) {
  return guard([&] {
    check_part(buffer, from, values, count);
    if (buffer->device == nullptr) {
      std::copy_n(values, count, buffer->data() + from);
      return;
    }
    buffer->device->upload(buffer->data() + from, values, bytes(count));
    buffer->device->synchronize();  // another stream will read it
  });
}

dc_status dc_buffer_read(dc_buffer* buffer, int64_t from, float* values, int64_t count) {
  return guard([&] {
    check_part(buffer, from, values, count);
    if (buffer->device == nullptr) std::copy_n(buffer->data() + from, count, values);
    else buffer->device->download(values, buffer->data() + from, bytes(count));
  });
}

void dc_buffer_close(dc_buffer* buffer) { delete buffer; }

}  // extern "C"
