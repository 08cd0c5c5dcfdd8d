// What a device says when it is asked for what it does not have.
#include "ops/device.hpp"

#include "core/status.hpp"

namespace diffcert {

void Executor::run_resident(std::int64_t, const float*, const Preconditioned&, const float*, float*) {
  throw Error(DC_BAD_ARGUMENT, "This device has no memory of its own.");
}

}  // namespace diffcert
