// The convolution of Hopper under the emulator: every convolution of the op table on a device that says it is one, against the float64 reference, in several
// orders of threads and batches; a network whose layers take it; and which do.
#include "kernel_cases.hpp"
#include "kernels/sm80_conv.hpp"
#include "kernels/sm90_conv.hpp"

using namespace diffcert;
using namespace kernel_cases;

namespace {

// What a layer keeps on the device, weights and bias, tells which kernel it was packed for.
void check_choice(const std::string& name, bool warpgroups) {
  for (const bench::OpCase& c : bench::op_cases()) {
    if (c.name != name) continue;
    const auto& op = std::get<ConvOp>(c.plan.ops.front());
    const auto executor = make_device_executor(c.plan, "emulator", "bf16");
    for (std::size_t w = 0; w < c.weights.size(); ++w) executor->set_weight(static_cast<WeightId>(w), c.weights[w]);
    executor->prepare(1);
    const std::int32_t channels = op.src[0].channels + (op.src[1].present() ? op.src[1].channels : 0);
    const std::int64_t group = std::int64_t{1} * group_steps(channels) * kGroupDepth * group_bands(op.out.channels, group_outputs(op.out.channels)) * group_outputs(op.out.channels);
    const std::int64_t tensor = tensor_steps(channels) * kTensorDepth * tensor_width(op.out.channels, tensor_outputs(op.out.channels));
    CHECK(group != tensor) << name << " tells nothing";
    CHECK(executor->weight_bytes() == (warpgroups ? group : tensor) * 9 * 2 + op.out.channels * 4) << name << ": " << executor->weight_bytes();
  }
}

}  // namespace

int main() {
  setenv("DIFFCERT_EMULATOR_COMPUTE", "90", 1);
  for (const bench::OpCase& c : bench::op_cases()) {
    if (!std::holds_alternative<ConvOp>(c.plan.ops.front())) continue;
    check_case(bench::in_bf16(c), "bf16");
    if (work(c) < (check::depth() > 1 ? 1 << 30 : check::depth() == 1 ? 1 << 21 : 1 << 18)) check_batches(bench::in_bf16(c), "bf16");
  }
  for (const bench::NamedConfig& named : bench::small_networks()) {
    if (named.name == std::string("adm iddpm")) check_network(named, "bf16");
  }
  check_choice("conv, plain", true);
  check_choice("conv, two sources", true);
  check_choice("conv, wide padding", false);
  setenv("DIFFCERT_EMULATOR_COMPUTE", "80", 1);
  check_choice("conv, plain", false);
  return check::finish();
}
