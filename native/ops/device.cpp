// What a device says when it is asked for what it does not have.
#include "ops/device.hpp"

#include "core/status.hpp"

namespace diffcert {
namespace {

[[noreturn]] void refuse() {
  throw Error(DC_DEVICE_UNAVAILABLE, "This device computes no gradients; use cpu or reference.");
}

}  // namespace

void Executor::run_resident(std::int64_t, const float*, const Preconditioned&, const float*, float*) {
  throw Error(DC_BAD_ARGUMENT, "This device has no memory of its own.");
}
void Executor::run_backward(std::int64_t, const float*, const float*, const float*, const Cotangent<float>&, float*) { refuse(); }
void Executor::run_backward(std::int64_t, const double*, const double*, const double*, const Cotangent<double>&, double*) { refuse(); }
void Executor::clear_gradients() { refuse(); }
void Executor::gradient(WeightId, std::span<double>) const { refuse(); }

}  // namespace diffcert
