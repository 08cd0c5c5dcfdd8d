// The CUDA kernels under the emulator: every case of the op table against the float64 reference, in several orders of threads; whole
// networks near the reference, and the same bits for a row in every batch, at every place, in every order.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "bench/op_cases.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "cuda/batch.hpp"
#include "cuda/graphs.hpp"
#include "cuda/step.hpp"
#include "kernel_cases.hpp"
#include "unet/backward.hpp"
#include "unet/planner.hpp"

using namespace diffcert;
using namespace kernel_cases;

namespace {

// A batch that does not fit the device (64 MiB under the emulator) is halved until it does, and does not show.
void check_out_of_memory() {
  order(0);
  constexpr std::int64_t kLarge = 16384;
  const bench::OpCase c = bench::op_cases().front();
  const std::vector<float> expected = bench::run_case(c, *make_device_executor(c.plan, "emulator", ""));
  Plan plan = c.plan;
  plan.arena_elements = 2000;
  const auto executor = make_device_executor(plan, "emulator", "");
  for (std::size_t w = 0; w < c.weights.size(); ++w) executor->set_weight(static_cast<WeightId>(w), c.weights[w]);
  executor->prepare(kLarge);
  CHECK(executor->arena_bytes() < 80 << 20 && executor->arena_bytes() > 16 << 20) << executor->arena_bytes();
  std::vector<float> out(c.image.size());
  const float label = 0.75f;
  executor->run(1, c.image.data(), &label, nullptr, out.data());
  CHECK(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)) == 0);
}

// Attention, there and back, is on tensor cores wherever features are bf16.
void check_attention_taken(const std::string& name, const Plan& plan) {
  const cuda::Weights none(nullptr, plan);
  const cuda::Builder half(nullptr, plan, none, true), whole(nullptr, plan, none, false);
  int there = 0, back = 0;
  for (const Op& op : plan.ops) {
    if (const auto* forwards = std::get_if<AttentionOp>(&op)) {
      ++there;
      CHECK(cuda::on_tensor_cores(*forwards, half) && !cuda::on_tensor_cores(*forwards, whole)) << name;
    }
    if (const auto* backwards = std::get_if<AttentionBackwardOp>(&op)) {
      ++back;
      CHECK(cuda::on_tensor_cores(*backwards, half) && !cuda::on_tensor_cores(*backwards, whole)) << name;
    }
  }
  CHECK(there > 0 && back == there) << name << ": " << there << " there, " << back << " back";
}

// Of the published networks the tensor cores have every convolution but the first and the last, 1x1s included; so has Hopper's form.
void check_layers_taken() {
  for (const bench::NamedConfig& named : bench::published_networks()) {
    const Plan plan = plan_network(validate(named.config));
    const cuda::Weights none(nullptr, plan);
    const cuda::Builder builder(nullptr, plan, none, true);
    int convolutions = 0, ones = 0, elsewhere = 0;
    for (const Op& op : plan.ops) {
      const auto* conv = std::get_if<ConvOp>(&op);
      if (conv == nullptr) continue;
      ++convolutions;
      if (conv->kernel == 1) ++ones;
      if (!cuda::on_tensor_cores(*conv, builder)) ++elsewhere;
      CHECK(cuda::on_warpgroups(*conv, builder) == cuda::on_tensor_cores(*conv, builder)) << named.name;
    }
    CHECK(plan.half_arena_elements < 0.6 * static_cast<double>(plan.arena_elements)) << named.name;
    CHECK(elsewhere == 2 && convolutions > 20 && ones > 1) << named.name << ": " << elsewhere << " of " << convolutions << ", " << ones << " of them 1x1";
    check_attention_taken(named.name, differentiate(plan, true, 0));
  }
}

std::vector<float> three_runs(const bench::OpCase& c, Executor& executor, std::vector<float>& last) {
  for (std::size_t w = 0; w < c.weights.size(); ++w) executor.set_weight(static_cast<WeightId>(w), c.weights[w]);
  executor.prepare(1);
  std::vector<float> first(c.image.size());
  const float label = 0.75f;
  executor.run(1, c.image.data(), &label, nullptr, first.data());
  for (int again = 0; again < 3; ++again) {  // captured and replayed; replayed; replayed
    last.assign(first.size(), 0.0f);
    executor.run(1, c.image.data(), &label, nullptr, last.data());
  }
  return first;
}

// A plan's second run of a batch size is a graph, and no bit shows it; so is one whose size was dropped and came again.
void check_graphs() {
  order(0);
  for (const bench::OpCase& c : bench::op_cases()) {
    std::vector<float> last;
    const std::vector<float> first = three_runs(c, *make_device_executor(c.plan, "emulator", ""), last);
    CHECK(std::memcmp(first.data(), last.data(), first.size() * sizeof(float)) == 0) << c.name << ": a graph shows";
  }
  const bench::NamedConfig named = bench::small_networks().back();
  const std::vector<float> whole = run(named.config, "emulator", "", {kRows}), parts = run(named.config, "emulator", "", {1, 1, 1, 2});
  CHECK(std::memcmp(parts.data(), whole.data(), whole.size() * sizeof(float)) == 0) << "a graph of one row shows";
}

void check_graph_cache() {
  const auto device = cuda::Device::open("emulator:1");
  cuda::Graphs graphs;
  std::vector<int> launched(40, 0);
  const auto ask = [&](std::int64_t size) { graphs.run(*device, size, [&] { ++launched[static_cast<std::size_t>(size)]; }); };
  for (int i = 0; i < 5; ++i) ask(7);
  CHECK(launched[7] == 2) << "once step by step, once for the graph, not " << launched[7];
  for (std::int64_t size = 10; size < 10 + static_cast<std::int64_t>(cuda::Graphs::kMost) - 1; ++size) ask(size);
  ask(7);
  CHECK(launched[7] == 2) << "the sizes used last are kept";
  for (std::int64_t size = 20; size < 20 + static_cast<std::int64_t>(cuda::Graphs::kMost); ++size) ask(size);
  ask(7);
  CHECK(launched[7] == 3) << "others are dropped";
  try {
    device->capture([&] { device->synchronize(); });
    CHECK(false) << "a capture that waits";
  } catch (const Error& e) {
    CHECK(e.status == DC_INTERNAL) << e.what();
  }
  try {
    device->capture([] { throw Error(DC_BAD_ARGUMENT, "the body's own."); });
    CHECK(false) << "an error in a capture is lost";
  } catch (const Error& e) {
    CHECK(e.status == DC_BAD_ARGUMENT) << e.what();
  }
  device->synchronize();  // the capture has ended all the same
}

// An H200 (132 multiprocessors, 139 GiB), a small GPU, one that is nearly full.
void check_batch_rule() {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  CHECK(cuda::choose_batch(138 * kGiB, 20 << 20, 132) == 1056);
  CHECK(cuda::choose_batch(4 * kGiB, 20 << 20, 46) == 138) << cuda::choose_batch(4 * kGiB, 20 << 20, 46);
  CHECK(cuda::choose_batch(kGiB, 20 << 20, 132) == 38) << cuda::choose_batch(kGiB, 20 << 20, 132);
  CHECK(cuda::choose_batch(1 << 20, 20 << 20, 132) == 1);
  Network network(validate(bench::small_networks().front().config), "emulator", 1, "");
  bench::set_random_weights(network);
  network.finish(0);
  CHECK(network.max_batch() == 32) << "eight waves of the emulator's four, not " << network.max_batch();
}

// A device that fails while it works is named, with its card, and so is what it did.
void check_lost_device() {
  setenv("DIFFCERT_EMULATOR_LOST", "2", 1);
  const bench::OpCase c = bench::op_cases().front();
  bench::run_case(c, *make_device_executor(c.plan, "emulator:1", ""));
  try {
    bench::run_case(c, *make_device_executor(c.plan, "emulator:2", ""));
    CHECK(false) << "a lost device works";
  } catch (const Error& e) {
    CHECK(e.status == DC_DEVICE_LOST);
    CHECK(std::string(e.what()) == "The device 'emulator:2' (CUDA kernels run on the CPU, for tests) could not run a kernel: it is lost, as "
                                   "DIFFCERT_EMULATOR_LOST says.") << e.what();
  }
  unsetenv("DIFFCERT_EMULATOR_LOST");
}

void check_refusals() {
  const Plan plan = bench::op_cases().front().plan;
  try {
    make_device_executor(plan, "cuda:7", "");
    std::puts("this machine has eight GPUs");
  } catch (const Error& e) {
    CHECK(e.status == DC_DEVICE_UNAVAILABLE) << e.what();
    CHECK(std::string(e.what()).rfind("The device 'cuda:7' is not there: ", 0) == 0) << e.what();
  }
  try {
    make_device_executor(plan, "emulator", "fp8");
    CHECK(false) << "a form that there is not";
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "The device 'emulator' computes in fp32 or bf16, not in 'fp8'.") << e.what();
  }
  try {
    make_device_executor(plan, "emulator:4", "");
    CHECK(false) << "a device that there is not";
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "The device 'emulator:4' is not there: the machine has 4 devices.") << e.what();
  }
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "emulator:", ""}) {
    try {
      make_device_executor(plan, name, "");
      CHECK(false) << "a device that there is not: " << name;
    } catch (const Error& e) {
      CHECK(e.status == DC_BAD_ARGUMENT) << e.what();
    }
  }
}

}  // namespace

int main() {
  std::vector<bench::OpCase> cases = bench::op_cases();
  for (bench::OpCase& c : bench::backward_cases()) cases.push_back(std::move(c));
  for (const bench::OpCase& c : cases) {
    if (c.learnt != kNone) {
      check_learning(c, "fp32");
      check_learning(bench::in_bf16(c), "bf16");
      continue;
    }
    check_case(c, "fp32");
    check_case(bench::in_bf16(c), "bf16");
    if (work(c) > (check::depth() > 1 ? 1 << 30 : check::depth() > 0 ? 1 << 20 : 1 << 15)) continue;
    check_batches(c, "fp32");
    check_batches(bench::in_bf16(c), "bf16");
  }
  for (const auto& named : bench::small_networks()) check_network(named, "fp32");
  check_network(bench::small_networks().front(), "bf16");
  check_graphs();
  check_graph_cache();
  check_batch_rule();
  check_out_of_memory();
  check_layers_taken();
  check_lost_device();
  check_refusals();
  return check::finish();
}
