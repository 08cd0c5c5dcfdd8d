// Distillation: which heads an image teaches and with which weight, the loss and the step against a plain computation, the same bits in any batch and
// after a state was set again, and that a student comes nearer to its teacher.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "tiny_model.hpp"
#include "train/distil.hpp"
#include "train/trainer.hpp"

using namespace diffcert;

namespace {

constexpr std::int32_t kClasses = 4, kHeads = 3;
constexpr std::int64_t kRows = 12, kPixels = 64;

TrainOptions options() {
  TrainOptions o;
  o.seed = 78;
  o.learning_rate = 2e-3;
  o.average_images = 100;
  o.average_share = 0.5;
  return o;
}

Network make_teacher(int threads, std::int64_t batch) {
  Network teacher(validate(tiny::config(8, 1, kClasses)), "cpu", threads, "");
  tiny::fill(teacher, 5, batch);
  return teacher;
}

Trainer make(int threads, const std::string& isa, std::int64_t rows) {
  return Trainer(validate(tiny::with_heads(8, 1, kClasses)), "cpu", threads, isa, options(), rows, 0);
}

double step(Trainer& trainer, Network& teacher, std::uint32_t seed) {
  const auto images = bench::random_floats(kRows * kPixels, seed);
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < kRows; ++i) labels.push_back(static_cast<std::int32_t>((i + seed) % (kClasses + 1)) - 1);
  return trainer.distil(teacher, kHeads, kRows, images.data(), labels.data());
}

// Over many images the expected weight of each head is what the objective says: half for the own, half shared by the others evenly.
void check_choice() {
  const NetworkConfig config = validate(tiny::with_heads(8, 1, kClasses));
  constexpr int kImages = 20000;
  for (const std::int32_t count : {1, 2, 3, kClasses + 1}) {
    std::vector<double> sums(kClasses + 1);
    for (std::uint32_t i = 0; i < kImages; ++i) {
      const auto chosen = choose_heads(config, {1, i, 0, 0}, 2, count);
      CHECK(chosen.size() == static_cast<std::size_t>(count) && chosen[0].head == 2) << count;
      double whole = 0;
      for (const HeadShare& share : chosen) sums[static_cast<std::size_t>(share.head)] += share.weight, whole += share.weight;
      CHECK(std::fabs(whole - 1) < 1e-12) << whole;
      for (std::size_t a = 0; a < chosen.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) CHECK(chosen[a].head != chosen[b].head) << "a head twice";
      }
    }
    for (std::int32_t head = 0; head <= kClasses; ++head) {
      const double mean = sums[static_cast<std::size_t>(head)] / kImages;
      const double wanted = count == 1 ? (head == 2) : head == 2 ? 0.5 : 0.5 / kClasses;
      CHECK(std::fabs(mean - wanted) < 0.01) << count << " heads, head " << head << ": " << mean << ", expected " << wanted;
    }
  }
  CHECK(choose_heads(config, {1, 0, 0, 0}, -1, 1)[0].head == kClasses) << "no label is the last head's";
}

// The loss of the first step, row by row from the definition.
void check_loss() {
  Network teacher = make_teacher(1, 3);
  Trainer trainer = make(1, "", 5);
  Network student(validate(tiny::with_heads(8, 1, kClasses)), "cpu", 1, "");
  for (const Weight& weight : student.weights()) {
    if (!weight.computed) student.set_weight(weight.name, trainer.tensor(TrainTensor::weight, weight.name));
  }
  student.finish(1);
  const auto images = bench::random_floats(kRows * kPixels, 1);
  double wanted = 0;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const std::int32_t label = static_cast<std::int32_t>((i + 1) % (kClasses + 1)) - 1;
    const NoiseKey key{options().seed, static_cast<std::uint32_t>(i), 0, 0};
    const LossRow row = loss_row(LossKind::edm, {}, student.config(), key.uniforms(NoiseStream::training, 1, 0)[0]);
    std::vector<double> noise(kPixels);
    draw_normals(key, NoiseStream::training, 0, noise);
    std::vector<float> x, own(kPixels), target(kPixels);
    for (std::int64_t e = 0; e < kPixels; ++e) {
      x.push_back(static_cast<float>(static_cast<double>(images[static_cast<std::size_t>(i * kPixels + e)]) + row.sigma * noise[static_cast<std::size_t>(e)]));
    }
    for (const HeadShare& share : choose_heads(student.config(), key, label, kHeads)) {
      const std::int32_t told = share.head == kClasses ? -1 : share.head;
      student.denoise(1, &row.sigma, &told, x.data(), own.data());
      teacher.denoise(1, &row.sigma, &told, x.data(), target.data());
      double sum = 0;
      for (std::size_t e = 0; e < kPixels; ++e) sum += std::pow(static_cast<double>(own[e]) - static_cast<double>(target[e]), 2);
      wanted += share.weight * row.weight * sum / kPixels / kRows;
    }
  }
  const double loss = step(trainer, teacher, 1);
  CHECK(std::fabs(loss - wanted) < 1e-9 * wanted) << loss << ", by hand " << wanted;
  CHECK(trainer.images() == kRows && trainer.steps() == 1);
}

void check_bits() {
  Network teacher = make_teacher(2, 16), narrow = make_teacher(1, 5);
  Trainer whole = make(2, "", 16);
  std::vector<double> losses;
  for (std::uint32_t i = 0; i < 5; ++i) losses.push_back(step(whole, teacher, i));
  Trainer other = make(1, "portable", 5);
  for (std::uint32_t i = 0; i < 5; ++i) CHECK(step(other, narrow, i) == losses[i]) << "another batch, step " << i;
  Trainer first = make(1, "", 8), second = make(2, "", 16);
  for (std::uint32_t i = 0; i < 2; ++i) step(first, teacher, i);
  for (const Weight& weight : first.network().weights()) {
    for (int kind = 0; kind < 4; ++kind) second.set_tensor(static_cast<TrainTensor>(kind), weight.name, first.tensor(static_cast<TrainTensor>(kind), weight.name));
  }
  second.set_progress(first.images(), first.steps());
  for (std::uint32_t i = 2; i < 5; ++i) CHECK(step(second, narrow, i) == losses[i]) << "resumed, step " << i;
  for (const Weight& weight : whole.network().weights()) {
    const auto a = whole.tensor(TrainTensor::average, weight.name), b = second.tensor(TrainTensor::average, weight.name);
    CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end())) << weight.name;
  }
}

void check_learning() {
  Network teacher = make_teacher(1, 36);
  Trainer trainer = make(1, "", kRows);
  double first = 0, last = 0;
  constexpr std::uint32_t kSteps = 150;
  for (std::uint32_t i = 0; i < kSteps; ++i) {
    const double loss = step(trainer, teacher, i);
    if (i < 10) first += loss;
    if (i >= kSteps - 10) last += loss;
  }
  std::printf("loss of the first ten steps %.3f, of the last ten %.3f\n", first / 10, last / 10);
  CHECK(last < 0.5 * first) << first << ", " << last;
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
  const std::vector<float> images(kPixels, 0.0f);
  const std::int32_t label = 1;
  Network teacher = make_teacher(1, 4);
  Trainer trainer = make(1, "", 4);
  for (const std::int32_t heads : {0, kClasses + 2}) refused("heads", [&] { trainer.distil(teacher, heads, 1, images.data(), &label); });
  Network other(validate(tiny::config(8, 1, 3)), "cpu", 1, "");
  refused("an unfinished teacher", [&] { trainer.distil(other, 2, 1, images.data(), &label); });
  tiny::fill(other, 1, 1);
  refused("other classes", [&] { trainer.distil(other, 2, 1, images.data(), &label); });
  Network large(validate(tiny::config(16, 1, kClasses)), "cpu", 1, "");
  tiny::fill(large, 1, 1);
  refused("other images", [&] { trainer.distil(large, 2, 1, images.data(), &label); });
  Trainer single(validate(tiny::config(8, 1, kClasses)), "cpu", 1, "", options(), 1, 0);
  refused("a student without heads", [&] { single.distil(teacher, 1, 1, images.data(), &label); });
}

}  // namespace

int main() {
  check_choice();
  check_loss();
  check_bits();
  if (check::depth() > 0) check_learning();
  check_refusals();
  return check::finish();
}
