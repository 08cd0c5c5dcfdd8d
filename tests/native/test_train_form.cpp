// What training has besides the network as it is used: dropout of features, and augmentation labels through map_augment. Which elements are dropped
// is a function of keys alone, so no batch, thread or instruction set shows; gradients are those of the loss that was shown; zeros as labels are none.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "check.hpp"
#include "ops/dropout.hpp"
#include "tiny_model.hpp"
#include "train/trainer.hpp"

using namespace diffcert;

namespace {

constexpr std::int64_t kRows = 12, kMarks = 9;
constexpr std::uint32_t kSteps = 5;  // a network begins with giving nothing: what shows in its insides shows later in its losses

TrainOptions options(double dropout, bool augment) {
  TrainOptions o;
  o.seed = 0x123456789abcdef0;
  o.learning_rate = 2e-3;
  o.warmup_images = 24;  // the first step moves nothing
  o.label_dropout = 0.1;
  o.dropout = dropout;
  o.augment = augment;
  return o;
}

NetworkConfig network(bool dhariwal) {
  dc_network_config c = tiny::config(8, 1, 2);
  c.augment_dim = kMarks;
  if (dhariwal) c.architecture = 1;
  return validate(c);
}

struct Batch {
  std::vector<float> images, marks;
  std::vector<std::int32_t> labels;
  explicit Batch(std::uint32_t seed) : images(bench::random_floats(kRows * 64, seed)), marks(bench::random_floats(kRows * kMarks, seed + 100)) {
    for (std::int32_t i = 0; i < kRows; ++i) labels.push_back(i % 2);
  }
};

double step(Trainer& trainer, std::uint32_t seed, bool marked) {
  const Batch batch(seed);
  return trainer.step(kRows, batch.images.data(), batch.labels.data(), marked ? batch.marks.data() : nullptr);
}

bool same_state(const Trainer& a, const Trainer& b) {
  for (const Weight& weight : a.network().weights()) {
    for (int kind = 0; kind < 4; ++kind) {
      const auto x = a.tensor(static_cast<TrainTensor>(kind), weight.name), y = b.tensor(static_cast<TrainTensor>(kind), weight.name);
      if (x.size() != y.size() || (!x.empty() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) != 0)) return false;
    }
  }
  return true;
}

// The share that is dropped, and that images, layers and seeds draw apart.
void check_draws() {
  const std::int32_t rate = dropout_rate(0.13);
  CHECK(rate == 8520) << rate;
  constexpr std::int64_t kCount = 200'000;
  std::int64_t dropped = 0, with_layer = 0, with_image = 0, with_seed = 0;
  const NoiseKey key = training_key(7, 3'000'000'000);
  for (std::int64_t e = 0; e < kCount; ++e) {
    const auto gone = [&](const NoiseKey& of, std::int32_t layer) { return dropout_draw(of, layer, e) < rate; };
    const bool here = gone(key, 0);
    dropped += here;
    with_layer += here && gone(key, 1);
    with_image += here && gone(training_key(7, 3'000'000'001), 0);
    with_seed += here && gone(training_key(8, 3'000'000'000), 0);
  }
  const double p = static_cast<double>(rate) / kDropoutWhole;
  const auto near = [&](std::int64_t count, double probability) {
    return std::fabs(static_cast<double>(count) - probability * kCount) < 5 * std::sqrt(kCount * probability * (1 - probability));
  };
  CHECK(near(dropped, p)) << dropped;
  CHECK(near(with_layer, p * p) && near(with_image, p * p) && near(with_seed, p * p)) << with_layer << ' ' << with_image << ' ' << with_seed;
  double parts[kChanceParts];
  write_chance(0xfedcba9876543210, -2, parts);
  const NoiseKey back = key_of_chance(parts);
  CHECK(back.seed == 0xfedcba9876543210 && back.image_id == 0xfffffffe && back.sample == 0xffffffff) << back.image_id;
}

void check_bits(bool dhariwal) {
  const TrainOptions o = options(0.25, true);
  const auto make = [&](const char* device, int threads, const char* isa, std::int64_t rows, std::int64_t elements = 0) {
    return Trainer(network(dhariwal), device, threads, isa, o, rows, elements);
  };
  Trainer whole = make("cpu", 2, "", kRows);
  std::vector<double> losses;
  for (std::uint32_t i = 0; i < kSteps; ++i) losses.push_back(step(whole, i, true));
  const auto same = [&](Trainer other, const char* what) {
    for (std::uint32_t i = 0; i < kSteps; ++i) CHECK(step(other, i, true) == losses[i]) << what << ", step " << i;
    CHECK(same_state(whole, other)) << what;
  };
  same(make("cpu", 1, "", 5), "five rows at once, one thread");
  same(make("cpu", 3, "portable", kRows, 1), "portable, recomputed");
  Trainer exact = make("reference", 0, "", kRows);
  const double loss = step(exact, 0, true);
  CHECK(std::fabs(loss - losses[0]) < 1e-5 * loss) << "the reference says " << loss << ", the cpu " << losses[0];
  Trainer undropped(network(dhariwal), "cpu", 1, "", options(0, true), kRows, 0);
  double last = 0;
  for (std::uint32_t i = 0; i < kSteps; ++i) last = step(undropped, i, true);
  CHECK(last != losses.back()) << "dropout that does nothing";
}

// The gradient that Adam was given, along a random direction, against differences of the loss in float64.
void check_gradient(bool dhariwal) {
  const TrainOptions o = options(0.25, true);
  const auto made = [&] { return Trainer(network(dhariwal), "reference", 0, "", o, kRows, 0); };
  // A weight that begins at zero, where nothing of it would come back, is given values in all of them.
  const auto start = [&](Trainer& trainer, const std::string& name, const std::vector<float>& values) {
    for (const Weight& weight : trainer.network().weights()) {
      if (weight.computed || trainer.tensor(TrainTensor::weight, weight.name).empty()) continue;
      auto own = bench::random_floats(static_cast<std::int64_t>(trainer.tensor(TrainTensor::weight, weight.name).size()), 11);
      for (float& v : own) v = 0.1f * v + (weight.name.find("norm") != std::string::npos && weight.name.ends_with("weight") ? 1.0f : 0.0f);
      trainer.set_tensor(TrainTensor::weight, weight.name, weight.name == name && !values.empty() ? values : own);
    }
  };
  for (const std::string name : {"model.map_augment.weight", "model.enc.8x8_block0.conv1.weight", "model.enc.8x8_block0.norm1.weight"}) {
    Trainer trainer = made();
    start(trainer, name, {});
    const auto weight = trainer.tensor(TrainTensor::weight, name);
    std::vector<float> up(weight.begin(), weight.end()), down = up;
    const auto direction = bench::random_floats(static_cast<std::int64_t>(up.size()), 12);
    for (std::size_t i = 0; i < up.size(); ++i) up[i] += 2e-3f * direction[i], down[i] -= 2e-3f * direction[i];
    step(trainer, 0, true);
    const auto moment = trainer.tensor(TrainTensor::first_moment, name);
    double ours = 0, scale = 0;
    for (std::size_t i = 0; i < up.size(); ++i) {
      const double term = static_cast<double>(moment[i]) / 0.1 * (static_cast<double>(up[i]) - static_cast<double>(down[i]));
      ours += term, scale += std::fabs(term);
    }
    Trainer above = made(), below = made();
    start(above, name, up), start(below, name, down);
    // Adam's gradient is that of the sum over elements, the reported loss their mean.
    const double slope = (step(above, 0, true) - step(below, 0, true)) * 64;
    CHECK(scale > 0 && std::fabs(ours - slope) < 2e-3 * scale) << name << ": " << ours << ", by differences " << slope << ", terms " << scale;
  }
}

void check_labels() {
  const auto made = [](bool augment) { return Trainer(network(false), "cpu", 1, "", options(0, augment), kRows, 0); };
  Trainer plain = made(false), absent = made(true), zeros = made(true), marked = made(true);
  const Batch batch(4);
  const std::vector<float> none(kRows * kMarks, 0.0f);
  for (int i = 0; i < 3; ++i) {
    const double loss = plain.step(kRows, batch.images.data(), batch.labels.data());
    CHECK(absent.step(kRows, batch.images.data(), batch.labels.data()) == loss) << "labels that are absent";
    CHECK(zeros.step(kRows, batch.images.data(), batch.labels.data(), none.data()) == loss) << "labels that are zero";
    const double other = marked.step(kRows, batch.images.data(), batch.labels.data(), batch.marks.data());
    CHECK(i < 2 || other != loss) << "labels that do not show";
  }
  CHECK(same_state(plain, absent) && same_state(plain, zeros));
  const auto map = plain.tensor(TrainTensor::first_moment, "model.map_augment.weight");
  const auto learnt = marked.tensor(TrainTensor::first_moment, "model.map_augment.weight");
  double still = 0, moved = 0;
  for (std::size_t i = 0; i < map.size(); ++i) still += std::fabs(static_cast<double>(map[i])), moved += std::fabs(static_cast<double>(learnt[i]));
  CHECK(still == 0 && moved > 0) << still << ' ' << moved;
}

}  // namespace

int main() {
  check_draws();
  check_labels();
  for (const bool dhariwal : {false, true}) {
    check_bits(dhariwal);
    check_gradient(dhariwal);
  }
  return check::finish();
}
