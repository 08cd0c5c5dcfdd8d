// What the opaque handle of a model is, and what models and trainers are asked alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unet/network.hpp"

struct dc_model {
  diffcert::Network network;
};

namespace diffcert {

// A device that is not of this build is refused with the reason that its description gives.
std::string device_of(const char* device);
// A working memory of a row, in numbers: 0 = no limit.
std::int64_t row_elements(std::int64_t bytes);
void describe_tensor(const std::vector<Weight>& weights, std::int64_t index, const char** name, std::int64_t* shape, std::int32_t* rank);

}  // namespace diffcert
