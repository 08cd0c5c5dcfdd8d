#include "abi/handles.hpp"

#include <algorithm>

#include "core/status.hpp"
#include "diffcert/diffcert.h"

namespace diffcert {

std::string device_of(const char* device) {
  require(device != nullptr, "The device is missing.");
  const std::string name = device;
  if (name == "cpu" || name == "reference") return name;
  char text[512];
  const dc_status status = dc_device_describe(device, text, sizeof text);
  if (status != DC_OK) throw Error(status, dc_last_error());
  return name;
}

std::int64_t row_elements(std::int64_t bytes) {
  require(bytes >= 0, "The working memory of a row is negative.");
  // A budget of less than one number is still a budget.
  return bytes == 0 ? 0 : std::max<std::int64_t>(1, bytes / static_cast<std::int64_t>(sizeof(float)));
}

void describe_tensor(const std::vector<Weight>& weights, std::int64_t index, const char** name, std::int64_t* shape, std::int32_t* rank) {
  require(name != nullptr && shape != nullptr && rank != nullptr, "The place for the description is missing.");
  require(index >= 0 && index < static_cast<std::int64_t>(weights.size()), "There is no tensor of that number.");
  const Weight& weight = weights[static_cast<std::size_t>(index)];
  *name = weight.name.c_str();
  *rank = static_cast<std::int32_t>(weight.shape.size());
  for (std::size_t i = 0; i < 4; ++i) shape[i] = i < weight.shape.size() ? weight.shape[i] : 1;
}

}  // namespace diffcert
