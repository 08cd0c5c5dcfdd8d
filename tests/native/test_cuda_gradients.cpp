// Gradients by the CUDA kernels under the emulator: small networks near the float64 reference, the same bits for a row in every batch, in every order
// of threads, recomputed or kept; the weights' in every cut of the rows into calls; and training beside the CPU's.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "core/status.hpp"
#include "gradient_cases.hpp"
#include "tiny_model.hpp"
#include "train/trainer.hpp"

using namespace diffcert;
using namespace gradient_cases;

namespace {

constexpr std::int64_t kRows = 3;

void order(int seed) { setenv("DIFFCERT_EMULATOR_SEED", std::to_string(seed).c_str(), 1); }

// Some sixty ops there and back in float32, each within 1e-6 or so.
void check_network(const bench::NamedConfig& named, bool thoroughly) {
  order(0);
  const Inputs in(validate(named.config), kRows);
  const Gradients whole = run(named.config, in, "emulator", 1, "", {kRows}), reference = run(named.config, in, "reference", 1, "", {kRows});
  const double denoised = relative_error(whole.denoised, reference.denoised), image = relative_error(whole.image, reference.image);
  const double weight = worst_weight(whole, reference);
  std::printf("%-40s by the image %.1e, worst weight %.1e\n", named.name.c_str(), image, weight);
  CHECK(denoised < 1e-5) << named.name << ": " << denoised;
  CHECK(image < 1e-5) << named.name << ": by the image " << image;
  CHECK(weight < 3e-5) << named.name << ": by a weight " << weight;
  if (!thoroughly) return;
  order(3);
  const Gradients parts = run(named.config, in, "emulator", 1, "", {1, 2}, true, 1);
  CHECK(parts.denoised == whole.denoised && parts.image == whole.image && parts.weights == whole.weights)
      << named.name << ": batches, the order of threads or recomputation show";
  CHECK(run(named.config, in, "emulator", 1, "", {3}, false).image == whole.image) << named.name << ": what is not asked for shows";
}

// In the form bf16 features and their gradients are rounded some sixty times, by at most 2^-9 each; some of the weights' gradients are small beside
// what they are differences of, all together they are not.
void check_half(const bench::NamedConfig& named) {
  order(0);
  const Inputs in(validate(named.config), kRows);
  const Gradients whole = run(named.config, in, "emulator", 1, "bf16", {kRows}), reference = run(named.config, in, "reference", 1, "", {kRows});
  const auto all = [](const Gradients& g) {
    std::vector<double> values;
    for (const auto& weight : g.weights) values.insert(values.end(), weight.begin(), weight.end());
    return values;
  };
  const double image = relative_error(whole.image, reference.image), weights = relative_error(all(whole), all(reference)), bound = std::sqrt(60) * 0x1p-8;
  std::printf("%-40s in bf16: by the image %.1e, by all weights %.1e\n", named.name.c_str(), image, weights);
  CHECK(image < bound && weights < bound) << named.name << ": " << image << ' ' << weights;
  order(3);
  const Gradients parts = run(named.config, in, "emulator", 1, "bf16", {2, 1});
  CHECK(parts.image == whole.image && parts.weights == whole.weights) << named.name << " in bf16: the batch or the order of threads shows";
}

// New weights are packed to where the old ones were, so that graphs stay; what was learnt is cleared.
void check_new_weights() {
  order(0);
  const auto config = bench::small_networks().front().config;
  const Inputs in(validate(config), 2);
  Network network(validate(config), "emulator", 1, "");
  network.differentiate(true, 0);
  bench::set_random_weights(network);
  network.finish(2);
  std::vector<float> gradient(in.image.size());
  const auto pull = [&](Network& of) {
    of.vector_jacobian(2, in.sigma.data(), in.labels.data(), in.image.data(), in.cotangent.data(), nullptr, gradient.data());
    return gradient;
  };
  const std::vector<float> first = pull(network);
  for (int again = 0; again < 2; ++again) CHECK(pull(network) == first) << "a graph shows";
  std::vector<std::vector<float>> weights;
  for (std::size_t w = 0; w < network.weights().size(); ++w) {
    const Weight& weight = network.weights()[w];
    std::int64_t count = 1;
    for (const std::int64_t d : weight.shape) count *= d;
    weights.push_back(weight.computed ? std::vector<float>() : bench::random_floats(count, 500 + static_cast<std::uint32_t>(w)));
    for (float& v : weights.back()) v *= 0.1f;
    if (!weight.computed) network.replace_weight(static_cast<WeightId>(w), weights.back());
  }
  network.repack();
  Network fresh(validate(config), "emulator", 1, "");
  fresh.differentiate(true, 0);
  for (std::size_t w = 0; w < weights.size(); ++w) {
    if (!weights[w].empty()) fresh.set_weight(fresh.weights()[w].name, weights[w]);
  }
  fresh.finish(2);
  const std::vector<float> second = pull(network);
  CHECK(second != first && second == pull(fresh)) << "a replaced weight";
  for (std::size_t w = 0; w < weights.size(); ++w) {
    CHECK(network.gradient(static_cast<WeightId>(w)) == fresh.gradient(static_cast<WeightId>(w))) << "what was learnt before shows in weight " << w;
  }
  // The same network goes forwards alone, too.
  std::vector<float> there(in.image.size()), here(in.image.size());
  network.denoise(2, in.sigma.data(), in.labels.data(), in.image.data(), there.data());
  Network plain(validate(config), "emulator", 1, "");
  for (std::size_t w = 0; w < weights.size(); ++w) {
    if (!weights[w].empty()) plain.set_weight(plain.weights()[w].name, weights[w]);
  }
  plain.finish(2);
  plain.denoise(2, in.sigma.data(), in.labels.data(), in.image.data(), here.data());
  CHECK(there == here) << "a network made for gradients, forwards";
}

// Room for more rows than fit: what the device makes of it does not show in the sums.
void check_out_of_memory() {
  order(0);
  const auto config = bench::small_networks()[1].config;
  const Inputs in(validate(config), 3);
  const auto of = [&](std::int64_t batch) {
    Network network(validate(config), "emulator", 1, "");
    network.differentiate(true, 0);
    bench::set_random_weights(network);
    network.finish(batch);
    network.vector_jacobian(3, in.sigma.data(), in.labels.data(), in.image.data(), in.cotangent.data(), nullptr, nullptr);
    std::vector<std::vector<double>> all;
    for (std::size_t w = 0; w < network.weights().size(); ++w) all.push_back(network.gradient(static_cast<WeightId>(w)));
    CHECK(batch < 100 || network.arena_bytes() < 200 << 20) << network.arena_bytes();
    return all;
  };
  CHECK(of(3) == of(4096)) << "a batch that does not fit";
}

TrainOptions options() {
  TrainOptions o;
  o.seed = 77;
  o.learning_rate = 2e-3;
  o.average_images = 200;
  o.label_dropout = 0.2;
  o.dropout = 0.25;
  return o;
}

std::vector<double> train(Trainer& trainer, int steps) {
  std::vector<double> losses;
  const std::vector<std::int32_t> labels{0, 1, 1, 0, 1, 0};
  for (int i = 0; i < steps; ++i) losses.push_back(trainer.step(6, bench::random_floats(6 * 64, 40 + static_cast<std::uint32_t>(i)).data(), labels.data()));
  return losses;
}

// Adam divides by the gradient's own size, so where a gradient is nothing but rounding the first steps differ by all of the rate: weights are held
// to a share of how far they went, losses to rounding.
void check_training() {
  constexpr int kSteps = 4;
  const auto make = [](const char* device, std::int64_t rows, std::int64_t elements = 0, const char* form = "") {
    return Trainer(validate(tiny::config(8, 1, 2)), device, 1, form, options(), rows, elements);
  };
  order(0);
  Trainer there = make("emulator", 6), here = make("cpu", 6);
  const std::vector<double> losses = train(there, kSteps), expected = train(here, kSteps);
  for (int i = 0; i < kSteps; ++i) {
    const auto step = static_cast<std::size_t>(i);
    CHECK(std::fabs(losses[step] - expected[step]) < 1e-4 * expected[step]) << "step " << i << ": " << losses[step] << ", not " << expected[step];
  }
  CHECK(losses.front() != losses.back());
  Trainer start = make("cpu", 6);
  for (const Weight& weight : here.network().weights()) {
    for (const TrainTensor kind : {TrainTensor::weight, TrainTensor::first_moment, TrainTensor::average}) {
      const auto a = there.tensor(kind, weight.name), b = here.tensor(kind, weight.name), from = start.tensor(kind, weight.name);
      double difference = 0, moved = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
        moved += std::pow(static_cast<double>(b[i]) - static_cast<double>(from[i]), 2);
      }
      CHECK(difference <= 0.01 * moved) << weight.name << ": " << std::sqrt(difference / moved) << " of how far it went";
    }
  }
  order(4);
  Trainer parts = make("emulator", 2, 1);
  CHECK(train(parts, kSteps) == losses) << "rows in pairs, recomputed, in another order of threads";
  for (const Weight& weight : here.network().weights()) {
    const auto a = there.tensor(TrainTensor::weight, weight.name), b = parts.tensor(TrainTensor::weight, weight.name);
    CHECK(a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0) << weight.name << ": the batch shows";
  }
  // In bf16 weights and moments stay float32.
  Trainer half = make("emulator", 6, 0, "bf16");
  const std::vector<double> rounded = train(half, 2);
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    CHECK(std::fabs(rounded[i] - expected[i]) < 0.02 * expected[i] && rounded[i] != expected[i]) << "in bf16, step " << i << ": " << rounded[i];
  }
}

std::vector<std::vector<float>> state(const Trainer& trainer) {
  std::vector<std::vector<float>> all;
  for (const Weight& weight : trainer.network().weights()) {
    for (int kind = 0; kind < kTrainTensors; ++kind) all.push_back(trainer.tensor(static_cast<TrainTensor>(kind), weight.name));
  }
  return all;
}

// The step that the device makes is the host's, to the bit, from the same gradients; a state that is taken and given goes on to the same bits.
void check_adam() {
  order(5);
  const auto make = [] { return Trainer(validate(tiny::config(8, 1, 2)), "emulator", 1, "", options(), 6, 0); };
  Trainer trainer = make();
  const TrainOptions o = options();
  CHECK(trainer.network().keeps_state());
  for (int step = 0; step < 3; ++step) {
    std::vector<std::vector<float>> expected = state(trainer);
    const double images = static_cast<double>(trainer.images()), life = std::min(o.average_images, o.average_share * images);
    train(trainer, 1);
    const AdamStep by{rate_at(o, images), o.beta_1, o.beta_2, 1 - std::pow(o.beta_1, step + 1), 1 - std::pow(o.beta_2, step + 1), o.epsilon,
                      std::pow(0.5, 6 / std::max(life, 1e-8))};
    for (std::size_t w = 0; w < trainer.network().weights().size(); ++w) {
      const std::vector<double> gradient = trainer.network().gradient(static_cast<WeightId>(w));
      for (std::size_t i = 0; i < expected[kTrainTensors * w].size(); ++i) {
        float number[kTrainTensors];
        for (std::size_t kind = 0; kind < kTrainTensors; ++kind) number[kind] = expected[kTrainTensors * w + kind][i];
        adam(by, gradient[i], number);
        for (std::size_t kind = 0; kind < kTrainTensors; ++kind) expected[kTrainTensors * w + kind][i] = number[kind];
      }
    }
    CHECK(state(trainer) == expected) << "step " << step;
  }
  Trainer next = make();
  for (const Weight& weight : trainer.network().weights()) {
    for (int kind = 0; kind < kTrainTensors; ++kind) {
      next.set_tensor(static_cast<TrainTensor>(kind), weight.name, trainer.tensor(static_cast<TrainTensor>(kind), weight.name));
    }
  }
  next.set_progress(trainer.images(), trainer.steps());
  CHECK(state(next) == state(trainer)) << "a state that was given";
  CHECK(train(next, 2) == train(trainer, 2) && state(next) == state(trainer)) << "a state that goes on";
  bool refused = false;
  try {
    next.set_tensor(TrainTensor::weight, "model.enc.8x8_block0.conv0.weight", std::vector<float>(7));
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused) << "a tensor of another size";
}

// The doors of the C ABI, beside the CPU: D, gradients by image and by a tensor, the loss of dc for two classes.
void check_abi() {
  order(0);
  const dc_network_config config = tiny::config(8, 1, 2);
  const std::string tensor = "model.enc.8x8_block0.conv0.weight";
  const auto x = bench::random_floats(128, 61), cotangent = bench::random_floats(128, 62), noise = bench::random_floats(192, 63);
  const std::vector<double> sigma{0.3, 2}, upper{0.2, 0.7, 3}, weights{1, 0.5, 0.25}, position(x.begin(), x.begin() + 64), levels(noise.begin(), noise.end());
  const std::vector<std::int32_t> labels{0, 1};
  const auto of = [&](const char* device) {
    dc_model* model = nullptr;
    CHECK(dc_model_create(&config, device, 1, "", &model) == DC_OK) << dc_last_error();
    CHECK(dc_model_differentiate(model, DC_GRADIENTS_WEIGHTS, 0) == DC_OK) << dc_last_error();
    tiny::fill(model->network, 5, 4);
    std::vector<float> denoised(128), gradient(128);
    CHECK(dc_model_vector_jacobian(model, 2, x.data(), sigma.data(), labels.data(), cotangent.data(), denoised.data(), gradient.data()) == DC_OK)
        << dc_last_error();
    std::vector<double> by_tensor(model->network.gradient(model->network.weight(tensor)).size()), loss(2), by_image(128);
    CHECK(dc_model_gradient(model, tensor.c_str(), by_tensor.data(), static_cast<std::int64_t>(by_tensor.size())) == DC_OK) << dc_last_error();
    CHECK(dc_elbo_gradient(model, 1, position.data(), 3, upper.data(), weights.data(), levels.data(), 2, labels.data(), loss.data(), by_image.data()) == DC_OK)
        << dc_last_error();
    dc_model_close(model);
    std::vector<std::vector<double>> all{{denoised.begin(), denoised.end()}, {gradient.begin(), gradient.end()}, by_tensor, loss, by_image};
    return all;
  };
  const auto there = of("emulator"), here = of("cpu");
  for (std::size_t i = 0; i < here.size(); ++i) {
    const double error = relative_error(there[i], here[i]);
    CHECK(error < 3e-5) << "the ABI's result " << i << ": " << error;
  }
}

}  // namespace

int main() {
  bool first = true;
  for (const auto& named : bench::small_networks()) {
    check_network(named, first || check::depth() > 1);
    first = false;
  }
  for (const std::size_t i : {0, 3}) check_half(bench::small_networks()[i]);
  check_new_weights();
  check_out_of_memory();
  check_training();
  check_adam();
  check_abi();
  return check::finish();
}
