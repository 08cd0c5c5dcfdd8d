// What the opaque handle of a model is, and what models and trainers are asked alike.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/thread_pool.hpp"
#include "unet/network.hpp"

struct dc_model {
  diffcert::Network network;  // on the first device
  // On several devices: the same network on each further one, and a thread a device.
  std::vector<std::unique_ptr<diffcert::Network>> more = {};
  std::unique_ptr<diffcert::ThreadPool> threads = nullptr;

  std::size_t devices() const { return 1 + more.size(); }
  diffcert::Network& on(std::size_t device) { return device == 0 ? network : *more[device - 1]; }
};

namespace diffcert {

// A device that is not of this build is refused with the reason that its description gives.
std::string device_of(const char* device);
// A working memory of a row, in numbers: 0 = no limit.
std::int64_t row_elements(std::int64_t bytes);
void describe_tensor(const std::vector<Weight>& weights, std::int64_t index, const char** name, std::int64_t* shape, std::int32_t* rank);

}  // namespace diffcert
