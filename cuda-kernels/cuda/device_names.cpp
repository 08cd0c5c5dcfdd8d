// What a user's name of devices stands for: one, several ("cuda:0,cuda:2") or all of a kind ("cuda:all").
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/status.hpp"
#include "cuda/device_library.hpp"
#include "ops/device.hpp"

namespace diffcert {
namespace {

constexpr std::size_t kMostDevices = 64;

std::vector<std::string> split(const std::string& name) {
  std::vector<std::string> parts;
  for (std::size_t from = 0;;) {
    const auto comma = name.find(',', from);
    parts.push_back(name.substr(from, comma - from));
    if (comma == std::string::npos) return parts;
    from = comma + 1;
  }
}

std::string kind_of(const std::string& name) { return name.substr(0, name.find(':')); }

std::string capability(const std::string& device) {
  const std::int32_t compute = cuda::Device::open(device)->properties().compute;
  return compute == 0 ? "" : std::to_string(compute / 10) + "." + std::to_string(compute % 10);
}

}  // namespace

std::vector<std::string> devices_of(const std::string& name) {
  const auto all = name.find(":all");
  if (all != std::string::npos && all + 4 == name.size()) {
    const std::string kind = name.substr(0, all);
    if (kind != "cuda" && kind != "emulator") throw Error(DC_BAD_ARGUMENT, "There is no device '" + name + "'.");
    const std::int32_t count = cuda::Device::count(kind);
    if (count < 1) throw Error(DC_DEVICE_UNAVAILABLE, "The device '" + name + "' is not there: the machine has none.");
    std::vector<std::string> devices;
    for (std::int32_t i = 0; i < count; ++i) devices.push_back(kind + ":" + std::to_string(i));
    return devices;
  }
  const std::vector<std::string> devices = split(name);
  if (devices.size() == 1) return devices;
  std::set<std::string> seen;
  for (const std::string& device : devices) {
    if (devices.size() > kMostDevices || kind_of(device) != kind_of(devices[0]) || device.find(':') == std::string::npos || !seen.insert(device).second) {
      throw Error(DC_BAD_ARGUMENT, "Several devices are of one kind, numbered and different, such as cuda:0,cuda:1, not '" + name + "'.");
    }
  }
  for (const std::string& device : devices) {
    const std::string first = capability(devices[0]), other = capability(device);
    if (first != other) {
      throw Error(DC_BAD_ARGUMENT, "The devices of one model must have one compute capability, since it chooses the kernels and so a vote's bits: '" +
                                       devices[0] + "' has " + first + ", '" + device + "' has " + other + ".");
    }
  }
  return devices;
}

std::string device_identity(const std::string& name) {
  const std::string kind = kind_of(name);
  if (kind == "cpu" || kind == "reference") return name;
  const std::string capable = capability(devices_of(name)[0]);
  return capable.empty() ? kind : kind + "-" + capable;
}

std::string describe_device(const std::string& device) {
  const std::vector<std::string> devices = devices_of(device);
  std::string line = devices.size() == 1 ? "" : std::to_string(devices.size()) + " devices; ";
  for (const std::string& one : devices) line += (one == devices.front() ? "" : "; ") + cuda::Device::open(one)->describe();
  return line;
}

}  // namespace diffcert
