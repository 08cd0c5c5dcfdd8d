// Training: the losses' levels and weights, Adam's arithmetic, the same bits in any batch of the network and after a state was stored and set
// again, on any number of threads; and that it learns.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "check.hpp"
#include "core/noise.hpp"
#include "core/status.hpp"
#include "tiny_model.hpp"
#include "train/trainer.hpp"

using namespace diffcert;

namespace {

TrainOptions options() {
  TrainOptions o;
  o.seed = 77;
  o.learning_rate = 2e-3;
  o.warmup_images = 64;
  o.average_images = 200;
  o.average_share = 0.5;
  o.label_dropout = 0.2;
  return o;
}

// Two classes that a network can tell apart: a bright left or right half, with a little of chance.
struct Batch {
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  Batch(std::int64_t n, std::uint32_t seed) : images(bench::random_floats(n * 64, seed)) {
    for (std::int64_t i = 0; i < n; ++i) {
      labels.push_back(static_cast<std::int32_t>((i + seed) % 2));
      for (std::int64_t p = 0; p < 64; ++p) {
        float& v = images[static_cast<std::size_t>(i * 64 + p)];
        v = 0.1f * v + ((p % 8 < 4) == (labels.back() == 0) ? 0.8f : -0.8f);
      }
    }
  }
};

Trainer make(const std::string& device, int threads, const std::string& isa, std::int64_t rows, std::int64_t elements = 0) {
  return Trainer(validate(tiny::config(8, 1, 2)), device, threads, isa, options(), rows, elements);
}

double step(Trainer& trainer, std::uint32_t seed, std::int64_t n = 16) {
  const Batch batch(n, seed);
  return trainer.step(n, batch.images.data(), batch.labels.data());
}

bool same_state(const Trainer& a, const Trainer& b) {
  for (const Weight& weight : a.network().weights()) {
    for (int kind = 0; kind < 4; ++kind) {
      const auto x = a.tensor(static_cast<TrainTensor>(kind), weight.name), y = b.tensor(static_cast<TrainTensor>(kind), weight.name);
      if (x.size() != y.size() || (!x.empty() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) != 0)) return false;
    }
  }
  return a.images() == b.images() && a.steps() == b.steps();
}

void check_losses() {
  const NetworkConfig config = validate(tiny::config(8, 1, 2));
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  const LossRow edm = loss_row(LossKind::edm, {}, config, kHalf);
  CHECK(std::fabs(edm.sigma - std::exp(-1.2)) < 1e-9) << edm.sigma;
  CHECK(std::fabs(edm.weight - (edm.sigma * edm.sigma + 0.25) / (0.25 * edm.sigma * edm.sigma)) < 1e-9 * edm.weight);
  const LossRow other = loss_row(LossKind::edm, {0.2, 0.7}, config, kHalf);
  CHECK(std::fabs(other.sigma - std::exp(0.2)) < 1e-9) << other.sigma;
  const LossRow ve = loss_row(LossKind::ve, {}, config, kHalf);
  CHECK(std::fabs(ve.sigma - std::sqrt(0.02 * 100)) < 1e-6 && std::fabs(ve.weight * ve.sigma * ve.sigma - 1) < 1e-12) << ve.sigma;
  const LossRow vp = loss_row(LossKind::vp, {}, config, ~std::uint64_t{0});
  CHECK(std::fabs(vp.sigma - std::sqrt(std::exp(19.9 / 2 + 0.1) - 1)) < 1e-9 * vp.sigma) << vp.sigma;
  CHECK(loss_row(LossKind::vp, {}, config, 0).sigma > 0 && loss_row(LossKind::ve, {}, config, 0).sigma >= 0.02);
  // The median of EDM's levels and a standard deviation above it.
  CHECK(std::fabs(loss_row(LossKind::edm, {}, config, static_cast<std::uint64_t>(0.84134474606854293 * 0x1p63 * 2)).sigma - 1) < 1e-6);
}

// One step by hand: at the first of Adam's every learnt number moves by the rate, against its gradient's sign; the rate is 0 before warm-up.
void check_adam() {
  Trainer trainer = make("cpu", 1, "", 16);
  const std::string name = "model.dec.8x8_aux_conv.weight";
  const auto copy = [&](TrainTensor kind) {
    const auto values = trainer.tensor(kind, name);
    return std::vector<float>(values.begin(), values.end());
  };
  const auto start = copy(TrainTensor::weight);
  step(trainer, 1);
  CHECK(copy(TrainTensor::weight) == start) << "a step before the rate is more than 0";
  const auto moment = copy(TrainTensor::first_moment), square = copy(TrainTensor::second_moment);
  const auto gradient_of = [&](std::size_t i) { return static_cast<double>(moment[i]) / 0.1; };
  for (std::size_t i = 0; i < moment.size(); ++i) {
    const double g = gradient_of(i);
    CHECK(std::fabs(static_cast<double>(square[i]) - 0.001 * g * g) <= 1e-6 * 0.001 * g * g + 1e-30) << i;
  }
  step(trainer, 2);
  const auto after = copy(TrainTensor::weight), moment_2 = copy(TrainTensor::first_moment), square_2 = copy(TrainTensor::second_moment);
  const auto average = copy(TrainTensor::average);
  const double rate = 2e-3 * 16 / 64, keep = std::pow(0.5, 16.0 / (0.5 * 16));
  for (std::size_t i = 0; i < start.size(); ++i) {
    const double m = static_cast<double>(moment_2[i]) / (1 - 0.81), v = static_cast<double>(square_2[i]) / (1 - 0.999 * 0.999);
    const double expected = static_cast<double>(start[i]) - rate * m / (std::sqrt(v) + 1e-8);
    CHECK(std::fabs(static_cast<double>(after[i]) - expected) < 1e-7) << i << ": " << after[i] << ", by hand " << expected;
    const double mixed = keep * static_cast<double>(start[i]) + (1 - keep) * static_cast<double>(after[i]);
    CHECK(std::fabs(static_cast<double>(average[i]) - mixed) < 1e-7) << i << ": " << average[i] << ", by hand " << mixed;
  }
}

// The rate rises, falls as half a cosine, and stays.
void check_rate() {
  TrainOptions o = options();
  CHECK(rate_at(o, 0) == 0.0) << rate_at(o, 0);
  CHECK(rate_at(o, 16) == o.learning_rate / 4) << rate_at(o, 16);
  CHECK(rate_at(o, 1e9) == o.learning_rate) << rate_at(o, 1e9);
  o.decay_images = 1000;
  o.final_rate = 4e-4;
  CHECK(std::abs(rate_at(o, 500) - 1.2e-3) < 1e-15) << rate_at(o, 500);
  CHECK(rate_at(o, 1000) == o.final_rate) << rate_at(o, 1000);
  CHECK(rate_at(o, 1e9) == o.final_rate) << rate_at(o, 1e9);
}

void check_bits() {
  Trainer whole = make("cpu", 2, "", 16);
  std::vector<double> losses;
  for (std::uint32_t i = 0; i < 6; ++i) losses.push_back(step(whole, i));
  const auto same = [&](Trainer other, const char* what) {
    for (std::uint32_t i = 0; i < 6; ++i) {
      const double loss = step(other, i);
      CHECK(loss == losses[i]) << what << ", step " << i << ": " << loss << ", not " << losses[i];
    }
    CHECK(same_state(whole, other)) << what;
  };
  same(make("cpu", 1, "", 5), "five rows at once, one thread");
  same(make("cpu", 3, "portable", 16, 1), "portable, recomputed");
  // Stored after three steps and set into another trainer.
  Trainer first = make("cpu", 1, "", 8), second = make("cpu", 2, "", 16);
  for (std::uint32_t i = 0; i < 3; ++i) step(first, i);
  step(second, 9);  // a state of its own, to be replaced
  for (const Weight& weight : first.network().weights()) {
    for (int kind = 0; kind < 4; ++kind) second.set_tensor(static_cast<TrainTensor>(kind), weight.name, first.tensor(static_cast<TrainTensor>(kind), weight.name));
  }
  second.set_progress(first.images(), first.steps());
  for (std::uint32_t i = 3; i < 6; ++i) CHECK(step(second, i) == losses[i]) << "resumed, step " << i;
  CHECK(same_state(whole, second)) << "resumed";
}

// A step whose loss the caller computes is the step, where the loss is the same: levels, noise and dropped labels drawn here from the same keys.
void check_pulled() {
  const std::string device = "cpu";
  Trainer whole = make(device, 2, "", 16), pulled = make(device, 1, "", 5);
  const TrainOptions o = options();
  constexpr std::int64_t kImages = 16, kElements = 64;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Batch batch(kImages, i);
    std::vector<double> sigma, weight, noise(kElements);
    std::vector<std::int32_t> labels;
    std::vector<float> x(kImages * kElements), denoised(x.size()), cotangent(x.size());
    for (std::int64_t j = 0; j < kImages; ++j) {
      const NoiseKey key{o.seed, static_cast<std::uint32_t>(pulled.images() + j), 0, 0};
      const auto draws = key.uniforms(NoiseStream::training, 1, 0);
      const LossRow row = loss_row(o.loss, {}, pulled.network().config(), draws[0]);
      sigma.push_back(row.sigma);
      weight.push_back(row.weight);
      labels.push_back(static_cast<double>(draws[1] >> 11) * 0x1p-53 >= o.label_dropout ? batch.labels[static_cast<std::size_t>(j)] : -1);
      draw_normals(key, NoiseStream::training, 0, noise);
      for (std::int64_t e = 0; e < kElements; ++e) {
        const auto at = static_cast<std::size_t>(j * kElements + e);
        x[at] = static_cast<float>(static_cast<double>(batch.images[at]) + row.sigma * noise[static_cast<std::size_t>(e)]);
      }
    }
    pulled.denoise(kImages, sigma.data(), labels.data(), x.data(), denoised.data());
    for (std::size_t at = 0; at < x.size(); ++at) {
      const double d = static_cast<double>(denoised[at]) - static_cast<double>(batch.images[at]);
      cotangent[at] = static_cast<float>(2 * weight[at / kElements] * d / static_cast<double>(kImages));
    }
    pulled.step(kImages, kImages, sigma.data(), labels.data(), x.data(), cotangent.data());
    step(whole, i);
    CHECK(same_state(whole, pulled)) << "step " << i;
  }
}

void check_learning() {
  Trainer trainer = make("cpu", 1, "", 32);
  double first = 0, last = 0;
  constexpr std::uint32_t kSteps = 120;
  for (std::uint32_t i = 0; i < kSteps; ++i) {
    const double loss = step(trainer, i, 32);
    if (i < 10) first += loss;
    if (i >= kSteps - 10) last += loss;
  }
  std::printf("loss of the first ten steps %.3f, of the last ten %.3f\n", first / 10, last / 10);
  CHECK(last < 0.5 * first) << first << ", " << last;
  // What was learnt is a model: it tells the classes apart at a level where the halves are hidden.
  Network model(validate(tiny::config(8, 1, 2)), "cpu", 1, "");
  for (const Weight& weight : model.weights()) {
    if (!weight.computed) model.set_weight(weight.name, trainer.tensor(TrainTensor::average, weight.name));
  }
  model.finish(2);
  const std::vector<float> x(128, 0.0f);
  const std::vector<double> sigma(2, 2.0);
  const std::vector<std::int32_t> labels{0, 1};
  std::vector<float> out(128);
  model.denoise(2, sigma.data(), labels.data(), x.data(), out.data());
  double left = 0, right = 0;
  for (std::size_t p = 0; p < 64; ++p) (p % 8 < 4 ? left : right) += static_cast<double>(out[p]) - static_cast<double>(out[64 + p]);
  std::printf("class 0 less class 1: %.2f on the left, %.2f on the right\n", left / 32, right / 32);
  CHECK(left / 32 > 0.3 && right / 32 < -0.3) << left << ' ' << right;
}

void check_refusals() {
  const auto refused = [](const char* what, auto&& body) {
    try {
      body();
      CHECK(false) << what;
    } catch (const Error& e) {
      CHECK(std::string(e.what()).ends_with(".")) << e.what();
    }
  };
  const auto with = [](auto&& change) {
    TrainOptions o = options();
    change(o);
    validate(o);
  };
  refused("learning_rate", [&] { with([](TrainOptions& o) { o.learning_rate = 0; }); });
  refused("level_mean", [&] { with([](TrainOptions& o) { o.levels.mean = NAN; }); });
  refused("level_deviation", [&] { with([](TrainOptions& o) { o.levels.deviation = 0; }); });
  refused("beta_1", [&] { with([](TrainOptions& o) { o.beta_1 = 1; }); });
  refused("beta_2", [&] { with([](TrainOptions& o) { o.beta_2 = -0.1; }); });
  refused("epsilon", [&] { with([](TrainOptions& o) { o.epsilon = 0; }); });
  refused("warmup_images", [&] { with([](TrainOptions& o) { o.warmup_images = NAN; }); });
  refused("decay_images", [&] { with([](TrainOptions& o) { o.decay_images = -1; }); });
  refused("final_rate", [&] { with([](TrainOptions& o) { o.final_rate = 2 * o.learning_rate; }); });
  refused("average_images", [&] { with([](TrainOptions& o) { o.average_images = -1; }); });
  refused("average_share", [&] { with([](TrainOptions& o) { o.average_share = INFINITY; }); });
  refused("label_dropout", [&] { with([](TrainOptions& o) { o.label_dropout = 1.5; }); });
  Trainer trainer = make("cpu", 1, "", 4);
  const std::vector<float> values(3, 0.0f), bad(16, NAN);
  refused("a tensor of another size", [&] { trainer.set_tensor(TrainTensor::weight, "model.enc.8x8_conv.bias", values); });
  refused("a tensor that is not finite", [&] { trainer.set_tensor(TrainTensor::weight, "model.enc.8x8_conv.bias", bad); });
  refused("an unknown tensor", [&] { trainer.tensor(TrainTensor::weight, "nothing"); });
  refused("a negative progress", [&] { trainer.set_progress(-1, 0); });
}

}  // namespace

int main() {
  check_losses();
  check_adam();
  check_rate();
  check_bits();
  check_pulled();
  if (check::depth() > 0) check_learning();
  check_refusals();
  return check::finish();
}
