// A library of kernels of another build is refused, whatever it differs in; after that, one of this build is taken.
#include <cstdlib>
#include <string>

#include "check.hpp"
#include "core/status.hpp"
#include "cuda/device_library.hpp"
#include "ops/device.hpp"

using namespace diffcert;

int main() {
  const char* path = std::getenv("DIFFCERT_DEVICE_PATH");
  CHECK(path != nullptr) << "ctest names the emulator's folder";
  const std::string emulator = path == nullptr ? "" : std::string(path) + "/libdiffcert-emulator.so";
  unsetenv("DIFFCERT_DEVICE_PATH");
  for (const char* file : {LIBRARY_OF_OTHER_SOURCE, LIBRARY_OF_OTHER_VERSION, LIBRARY_OF_OTHER_KERNELS}) {
    name_device_library("emulator", file);
    try {
      cuda::Device::count("emulator");
      CHECK(false) << file << " is taken";
    } catch (const Error& e) {
      CHECK(e.status == DC_DEVICE_UNAVAILABLE) << e.what();
      CHECK(std::string(e.what()) == "The device 'emulator' is not there: " + std::string(file) + " is of another build of diffcert.") << e.what();
    }
  }
  name_device_library("emulator", emulator);
  CHECK(cuda::Device::count("emulator") == 4);
  return check::finish();
}
