// Both ends of a vote on a device of kernels, the emulator or the one named as argument: the input of a row has the core's bits, residuals are the
// host's but for the order of their sum, tables hold what every row would compute, votes agree with the CPU's and do not depend on batch, place or
// order of threads.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "bench/networks.hpp"
#include "check.hpp"
#include "core/noise.hpp"
#include "core/status.hpp"
#include "cuda/device_library.hpp"
#include "elbo/objective.hpp"
#include "unet/split.hpp"
#include "vote_cases.hpp"

using namespace diffcert;
using namespace vote_cases;

namespace {

const char* device_name = "emulator";

void order(int seed) { setenv("DIFFCERT_EMULATOR_SEED", std::to_string(seed).c_str(), 1); }

// What a kernel reads or writes, on the device.
template <class T>
struct OnDevice {
  OnDevice(const std::shared_ptr<cuda::Device>& to, const std::vector<T>& values)
      : device(to), memory(to, static_cast<std::int64_t>(values.size() * sizeof(T))), count(static_cast<std::int64_t>(values.size())) {
    device->upload(memory.data(), values.data(), memory.bytes());
  }
  Span<const T> in() const { return {static_cast<const T*>(memory.data()), count}; }
  Span<T> out() const { return {static_cast<T*>(memory.data()), count}; }
  std::vector<T> read() const {
    std::vector<T> values(static_cast<std::size_t>(count));
    device->download(values.data(), memory.data(), memory.bytes());
    return values;
  }
  std::shared_ptr<cuda::Device> device;
  cuda::DeviceMemory memory;
  std::int64_t count;
};

std::vector<double> doubles(std::int64_t count, std::uint32_t which) {
  std::vector<double> values;
  for (const float v : bench::random_floats(count, which)) values.push_back(static_cast<double>(v) / 3);
  return values;
}

// Two samples, two taus, two levels, an odd number of elements: what both kernel tests below work on.
struct Scene {
  static constexpr std::int32_t kChannels = 3, kSpots = 35, kCount = kChannels * kSpots, kSamples = 2, kTaus = 6;
  std::vector<NoiseKey> keys = {{kSeed, 3, DC_ESTIMATE, 17}, {kSeed, 3, DC_ESTIMATE, 18}};
  std::vector<RowLevel> levels = {{0.7, 0.9, 0.3, 0.4, -0.2, 0.6, 0.5, 5, kTaus - 1}, {1.9, 0.35, 0.02, 0.45, 0.1, 0.8, 0.3, 40, 1}};
  std::vector<PosteriorMix> mix;
  std::vector<double> positions = doubles(kTaus * kSamples * kCount, 21);
  Scene() {
    for (int i = 0; i < 2 * kTaus; ++i) mix.push_back({0.2 + 0.05 * i, 0.7 - 0.04 * i});
  }
  std::vector<double> upper(const Row& row) const {
    const RowLevel& level = levels[static_cast<std::size_t>(row.level)];
    std::vector<double> x(kCount);
    draw_normals(keys[static_cast<std::size_t>(row.sample)], NoiseStream::level, level.position, x);
    for (std::int32_t e = 0; e < kCount; ++e) {
      double& at = x[static_cast<std::size_t>(e)];
      at = position(level.base, row.sample, e) + level.spread * at;
    }
    return x;
  }
  double position(std::int32_t tau, std::int32_t sample, std::int32_t e) const {
    return positions[static_cast<std::size_t>((tau * kSamples + sample) * kCount + e)];
  }
};

// The network's input is the host's to the bit: the normals, x_u, and their rounding.
void test_inputs() {
  const Scene scene;
  const auto device = cuda::Device::open(device_name);
  const OnDevice<RowLevel> levels(device, scene.levels);
  const OnDevice<NoiseKey> keys(device, scene.keys);
  const OnDevice<double> positions(device, scene.positions);
  const std::vector<RowCell> cells = {{0, 1, 0, 2}, {1, 0, 2, 3}, {1, 1, 5, 1}};
  const OnDevice<RowCell> on(device, cells);
  const OnDevice<float> image(device, std::vector<float>(6 * Scene::kCount, std::numeric_limits<float>::quiet_NaN()));
  const RowSource source{levels.in(), keys.in(), positions.in(), Scene::kSamples, Scene::kChannels, Scene::kSpots};
  device->launch<Kernel::rows>({1, 3}, kRowsThreads, 0, {source, on.in(), image.out()});
  const std::vector<float> found = image.read();
  for (const RowCell& cell : cells) {
    const std::vector<double> x = scene.upper({cell.level, cell.sample, 0, 0});
    for (std::int32_t row = cell.first; row < cell.first + cell.count; ++row) {
      for (std::int32_t e = 0; e < Scene::kCount; ++e) {
        const auto wanted = static_cast<float>(scene.levels[static_cast<std::size_t>(cell.level)].c_in * x[static_cast<std::size_t>(e)]);
        const float got = found[static_cast<std::size_t>(row * Scene::kCount + e % Scene::kSpots * Scene::kChannels + e / Scene::kSpots)];
        CHECK(std::memcmp(&got, &wanted, sizeof got) == 0) << "row " << row << " element " << e << ": " << got << " is not " << wanted;
      }
    }
  }
}

// Sums of N non-negative terms in any order differ by at most 2 N 2^-53 of themselves.
double order_bound(std::int64_t terms) { return 2 * static_cast<double>(terms) * 0x1p-53; }

void test_residuals() {
  const Scene scene;
  const auto device = cuda::Device::open(device_name);
  const OnDevice<RowLevel> levels(device, scene.levels);
  const OnDevice<NoiseKey> keys(device, scene.keys);
  const OnDevice<double> positions(device, scene.positions);
  const OnDevice<PosteriorMix> mix(device, scene.mix);
  const std::vector<Row> rows = {{0, 0, 1, 2}, {1, 1, 0, 0}, {0, 1, 2, 3}, {1, 0, 0, 1}};  // each at a place of its own
  constexpr std::int32_t kOut = 4, kTargets = 3;  // a channel that denoising does not use
  std::vector<float> f = bench::random_floats(4 * kOut * Scene::kSpots, 31);
  f[5] = 30;  // beyond the clamp
  const OnDevice<Row> on(device, rows);
  const OnDevice<float> network(device, f);
  const std::vector<double> each = doubles(kTargets * Scene::kSamples * Scene::kCount, 41);
  const OnDevice<double> targets(device, each);
  const RowSource source{levels.in(), keys.in(), positions.in(), Scene::kSamples, Scene::kChannels, Scene::kSpots};
  for (const bool posterior : {true, false}) {
    for (const bool clamp : {true, false}) {
      const std::int32_t taus = posterior ? Scene::kTaus : 1;
      const OnDevice<double> residual(device, std::vector<double>(rows.size() * static_cast<std::size_t>(taus)));
      device->launch<Kernel::residual>({4}, kResidualThreads, kResidualShared,
                                       {source, on.in(), posterior ? mix.in() : Span<const PosteriorMix>{}, posterior ? positions.in() : targets.in(),
                                        network.in(), residual.out(), kOut, taus, posterior ? 1 : kTargets, clamp});
      const std::vector<double> found = residual.read();
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const Row& row = rows[r];
        const RowLevel& level = scene.levels[static_cast<std::size_t>(row.level)];
        const std::vector<double> x = scene.upper(row);
        for (std::int32_t t = 0; t < (posterior ? level.base + 1 : 1); ++t) {
          double sum = 0;
          for (std::int32_t e = 0; e < Scene::kCount; ++e) {
            const double xu = x[static_cast<std::size_t>(e)];
            const auto output = r * kOut * Scene::kSpots + static_cast<std::size_t>(e % Scene::kSpots * kOut + e / Scene::kSpots);
            double d = level.c_skip * xu + level.c_out * static_cast<double>(f[output]);
            if (clamp) d = std::clamp(d, -1.0, 1.0);
            const PosteriorMix& m = scene.mix[static_cast<std::size_t>(row.level * taus + t) % scene.mix.size()];
            const double off = posterior ? (m.of_position * scene.position(t, row.sample, e) + m.of_upper * xu) - (level.of_denoised * d + level.of_upper * xu)
                                         : d - each[static_cast<std::size_t>((row.sample * kTargets + row.label) * Scene::kCount + e)];
            sum += off * off;
          }
          const double wanted = sum / Scene::kCount, got = found[static_cast<std::size_t>(row.place * taus + t)];
          CHECK(std::fabs(got - wanted) <= order_bound(Scene::kCount) * wanted) << "row " << r << " tau " << t << ": " << got << " is not " << wanted;
        }
      }
    }
  }
}

// A network that gives what is no number spoils its own row, clamped or not.
void test_not_finite() {
  const Scene scene;
  const auto device = cuda::Device::open(device_name);
  const OnDevice<RowLevel> levels(device, scene.levels);
  const OnDevice<NoiseKey> keys(device, scene.keys);
  const OnDevice<double> positions(device, scene.positions);
  const OnDevice<Row> on(device, {{1, 0, 0, 0}, {1, 1, 0, 1}});
  std::vector<float> f = bench::random_floats(2 * Scene::kCount, 31);
  f[7] = std::numeric_limits<float>::infinity();
  const OnDevice<float> network(device, f);
  const RowSource source{levels.in(), keys.in(), positions.in(), Scene::kSamples, Scene::kChannels, Scene::kSpots};
  for (const bool clamp : {true, false}) {
    const OnDevice<double> residual(device, std::vector<double>(2));
    device->launch<Kernel::residual>({2}, kResidualThreads, kResidualShared,
                                     {source, on.in(), {}, positions.in(), network.in(), residual.out(), Scene::kChannels, 1, 1, clamp});
    const std::vector<double> found = residual.read();
    CHECK(!std::isfinite(found[0]) && std::isfinite(found[1])) << found[0] << ' ' << found[1];
  }
}

// The vote kernel against the plain definition: more classes than threads, ties, levels of no weight, losses that are no number, ambiguous samples.
void test_votes_of_residuals() {
  const auto device = cuda::Device::open(device_name);
  constexpr std::int32_t kSamples = 7, kMany = 3 * kVoteThreads + 5, kLevels = 5, kTaus = 2;
  std::vector<double> residuals = doubles(kSamples * kMany * kLevels * kTaus, 71);
  for (double& v : residuals) v = v * v;
  const auto at = [&](std::int32_t sample, std::int32_t c, std::int32_t level, std::int32_t tau) -> double& {
    return residuals[static_cast<std::size_t>(((sample * kMany + c) * kLevels + level) * kTaus + tau)];
  };
  const std::vector<double> weights = {1, 0, 2.5, 0.3, 1, 0, 0, 1, 4, 0.1};
  std::vector<std::uint8_t> certain(kSamples, 1);
  for (std::int32_t level = 0; level < kLevels; ++level) {
    for (std::int32_t tau = 0; tau < kTaus; ++tau) {
      for (const std::int32_t c : {190, 70, 134}) at(1, c, level, tau) = 0;             // equal and least
      for (std::int32_t c = 0; c < kMany; ++c) at(2, c, level, tau) = 1;                // all equal
    }
  }
  at(3, 150, 2, 0) = std::numeric_limits<double>::quiet_NaN();
  at(4, 0, 3, 1) = std::numeric_limits<double>::infinity();
  at(5, 11, 1, 0) = at(5, 12, 1, 1) = std::numeric_limits<double>::quiet_NaN();        // of no weight
  certain[6] = 0;
  const OnDevice<double> in(device, residuals), share(device, weights), losses(device, std::vector<double>(kTaus * kSamples * kMany));
  const OnDevice<std::uint8_t> sure(device, certain);
  const OnDevice<std::int32_t> votes(device, std::vector<std::int32_t>(kTaus * kSamples, -9));
  for (const int seed : {0, 1, 5}) {
    order(seed);
    device->launch<Kernel::vote>({kSamples, kTaus}, kVoteThreads, kVoteShared,
                                 {in.in(), share.in(), sure.in(), votes.out(), losses.out(), kSamples, kMany, kLevels, kTaus});
    const auto found = votes.read();
    const auto found_losses = losses.read();
    for (std::int32_t tau = 0; tau < kTaus; ++tau) {
      for (std::int32_t sample = 0; sample < kSamples; ++sample) {
        std::int32_t wanted = 0;
        double least = std::numeric_limits<double>::infinity();
        bool spoiled = false;
        for (std::int32_t c = 0; c < kMany; ++c) {
          double loss = 0;
          for (std::int32_t level = 0; level < kLevels; ++level) {
            const double weight = weights[static_cast<std::size_t>(tau * kLevels + level)];
            if (weight > 0) loss += weight * at(sample, c, level, tau);
          }
          const double got = found_losses[static_cast<std::size_t>((tau * kSamples + sample) * kMany + c)];
          CHECK(std::isfinite(loss) ? got == loss : std::isnan(got)) << "sample " << sample << " class " << c << ": " << got << " is not " << loss;
          spoiled = spoiled || !std::isfinite(loss);
          if (loss < least) least = loss, wanted = c;
        }
        if (spoiled || certain[static_cast<std::size_t>(sample)] == 0) wanted = -1;
        const std::int32_t vote = found[static_cast<std::size_t>(tau * kSamples + sample)];
        CHECK(vote == wanted) << "sample " << sample << " tau " << tau << ": " << vote << " is not " << wanted;
      }
    }
    CHECK(found[1] == 70 && found[2] == 0 && found[3] == -1 && found[4] >= 0 && found[kSamples + 4] == -1 && found[5] >= 0 && found[6] == -1);
  }
  order(0);
}

// Every architecture's table holds exactly what its labels give: all embeddings and affines, no image.
void test_split() {
  for (const bench::NamedConfig& named : bench::small_networks()) {
    const Network network(validate(named.config), "reference", 1, "");
    const Plan& plan = network.plan();
    const SplitPlan split = split_plan(plan);
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < plan.ops.size(); ++i) {
      const bool of_labels = std::holds_alternative<EmbedOp>(plan.ops[i]) || std::holds_alternative<LinearOp>(plan.ops[i]);
      CHECK((split.of_table[i] != 0) == of_labels) << named.name << " op " << i;
      if (const auto* conv = std::get_if<ConvOp>(&plan.ops[i])) blocks += conv->shift != kNone ? 1 : 0;
      if (const auto* norm = std::get_if<NormOp>(&plan.ops[i])) blocks += norm->adaptive != kNone ? 1 : 0;
    }
    CHECK(split.handed.size() == blocks && blocks > 0) << named.name << ": " << split.handed.size() << " of " << blocks;
    CHECK(split.table.ops.size() + split.rows.ops.size() == plan.ops.size());
    CHECK(split.table.arena_elements < plan.arena_elements && split.rows.arena_elements >= plan.image.channels) << named.name;
  }
}

struct Taken {
  std::vector<double> residuals;
  void operator()(std::int64_t, std::int64_t, std::int32_t, std::uint32_t, double residual) { residuals.push_back(residual); }
};

// The same job on the same device, with rows made and judged by the host or by the device: the network sees the same bits, so what differs is the order
// of the residual's sum.
void test_host_form(bool heads) {
  const auto model = tiny_model(device_name, 1, 9, 1, heads);
  const std::vector<double> taus = {0.5, 1.0};
  const std::int64_t samples = 1;
  const std::vector<NoiseKey> keys = {{kSeed, 3, DC_ESTIMATE, 4}};
  const std::vector<double> x = doubles(2 * samples * kPixels, 51);
  for (int kind = DC_DC; kind <= DC_APNDC_ENSEMBLE; ++kind) {
    const bool path = kind == DC_EPNDC;
    const std::vector<ElboLevel> levels = {{2, 0.6, 0.9, 0}, {5, 1.2, 1.7, path ? 1 : 0}};
    ElboJob job;
    job.samples = samples;
    job.taus = std::span<const double>(taus).first(path ? 2 : 1);
    job.x = std::span<const double>(x).first(static_cast<std::size_t>((path ? 2 : 1) * samples * kPixels));
    job.levels = levels;
    std::vector<double> results[2];
    for (const bool device : {false, true}) {
      Taken taken;
      job.take = [&](auto... what) { taken(what...); };
      if (device) job.keys = keys;
      else job.noise = [&](std::int64_t sample, std::uint32_t position, std::span<double> noise) {
        draw_normals(keys[static_cast<std::size_t>(sample)], NoiseStream::level, position, noise);
      };
      Objective(model->network, nullptr, static_cast<dc_classifier_kind>(kind), true, 9).run(job);
      results[device ? 1 : 0] = taken.residuals;
    }
    CHECK(results[0].size() == results[1].size() && results[0].size() == (path ? 15 : 10)) << "kind " << kind;
    for (std::size_t i = 0; i < results[0].size(); ++i) {
      CHECK(std::fabs(results[1][i] - results[0][i]) <= order_bound(kPixels) * results[0][i]) << "kind " << kind << ": " << results[1][i] << " " << results[0][i];
    }
  }
}

// The device's network and the CPU's are each within 1e-5 of float64 (test_cuda_kernels, test_cpu_network); a residual, a mean of squares of differences
// of about their size, is then within some 4e-5, losses too, being sums of such.
void test_against_cpu(bool heads) {
  const auto cpu = tiny_model("cpu", 1, 32, 1, heads), device = tiny_model(device_name, 1, 32, 1, heads);
  for (Case c : cases()) {
    if (check::depth() < 2 && c.kind != DC_APNDC_CONDITIONAL && c.kind != DC_APNDC_ENSEMBLE && c.noise != DC_NOISE_PATH) continue;
    if (c.noise != DC_NOISE_PATH) c.taus.resize(1);
    const Handle wanted = open(cpu.get(), c.kind, c.noise, c.taus, 0), found = open(device.get(), c.kind, c.noise, c.taus, 0);
    const auto a = losses(wanted.get(), image(3), 5, c.taus.size()), b = losses(found.get(), image(3), 5, c.taus.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::fabs(a[i] - b[i]) <= 4e-5 * a[i]) << "kind " << c.kind << ": " << b[i] << " is not " << a[i];
    const std::uint32_t samples = check::depth() < 2 ? 1 : 5;
    CHECK(votes(wanted.get(), 1, 0, samples, c.taus.size()) == votes(found.get(), 1, 0, samples, c.taus.size())) << "kind " << c.kind;
  }
}

// Residuals that come up for a contest and those that stay for a vote are the same: a contest that drops nobody ends with the votes' losses.
void test_contests() {
  const auto model = tiny_model(device_name, 1, 16);
  const Case path = cases()[5];
  const dc_prune prune{DC_PRUNE_PAIRED, 0, 0, 0};
  const auto cast = losses(open(model.get(), path.kind, path.noise, path.taus, 0).get(), image(3), 5, 2);
  const auto contested = losses(open(model.get(), path.kind, path.noise, path.taus, 0, &prune).get(), image(3), 5, 2);
  CHECK(std::memcmp(cast.data(), contested.data(), cast.size() * sizeof(double)) == 0);
}

// Batches of 1, 3 and 17, a network of a smaller batch than the classifier's, other orders of threads: the same bits.
void test_invariance(bool heads) {
  const Case path = cases()[5];
  const auto whole = tiny_model(device_name, 1, 17, 1, heads), narrow = tiny_model(device_name, 1, 3, 1, heads);
  order(0);
  const auto wanted = losses(open(whole.get(), path.kind, path.noise, path.taus, 17).get(), image(3), 5, 2);
  const auto wanted_votes = votes(open(whole.get(), path.kind, path.noise, path.taus, 17).get(), 2, 0, 2, 2);
  int seed = 1;
  for (const std::int64_t batch : {1, 3}) {
    order(seed++);
    const auto again = losses(open(whole.get(), path.kind, path.noise, path.taus, batch).get(), image(3), 5, 2);
    CHECK(std::memcmp(again.data(), wanted.data(), wanted.size() * sizeof(double)) == 0) << "batch " << batch;
  }
  order(0);
  const Handle classifier = open(narrow.get(), path.kind, path.noise, path.taus, 0);
  CHECK(votes(classifier.get(), 2, 0, 2, 2) == wanted_votes);
  const auto last = votes(classifier.get(), 2, 1, 2, 2);
  CHECK(last[0] == wanted_votes[1] && last[1] == wanted_votes[3]) << "a sample by itself";
}

// Rows in any order: each has its bits. The engine's own door, so that a row can be put anywhere.
void test_permuted_rows() {
  const auto model = tiny_model(device_name, 1, 11);
  RowEngine* engine = model->network.rows();
  CHECK(engine != nullptr);
  const std::vector<NoiseKey> keys = {{kSeed, 3, DC_ESTIMATE, 4}, {kSeed, 3, DC_ESTIMATE, 9}};
  const std::vector<double> positions = doubles(2 * kPixels, 61);
  StagedSamples samples;
  samples.keys = keys;
  samples.positions = positions;
  engine->stage(samples);
  const std::vector<RowLevel> levels = {{0.7, 0.9, 0.3, 0.4, -0.2, 0, 0, 5, 0}, {1.9, 0.35, 0.02, 0.45, 0.1, 0, 0, 40, 0}};
  std::vector<Row> rows;
  for (std::int32_t i = 0; i < 17; ++i) rows.push_back({i % 2, i / 3 % 2, i % (kClasses + 1) - 1, 0});
  std::vector<double> wanted(rows.size()), found(rows.size());
  engine->run(levels, {}, rows, wanted);
  std::vector<Row> moved(rows.rbegin(), rows.rend());
  std::rotate(moved.begin(), moved.begin() + 5, moved.end());
  engine->run(levels, {}, moved, found);
  std::rotate(found.begin(), found.end() - 5, found.end());
  std::reverse(found.begin(), found.end());
  CHECK(std::memcmp(found.data(), wanted.data(), wanted.size() * sizeof(double)) == 0);
  CHECK(wanted[0] != wanted[1] && wanted[0] != wanted[2]) << "a row that does not depend on its level or class";
  try {
    engine->run(levels, {}, std::vector<Row>{{0, 0, kClasses, 0}}, std::span<double>(found).first(1));
    CHECK(false) << "a class that there is not";
  } catch (const Error& e) {
    CHECK(e.status == DC_INTERNAL) << e.what();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) device_name = argv[1];
  test_inputs();
  test_residuals();
  test_not_finite();
  test_votes_of_residuals();
  test_split();
  for (const bool heads : {false, true}) {
    test_host_form(heads);
    test_against_cpu(heads);
    test_invariance(heads);
  }
  test_contests();
  test_permuted_rows();
  return check::finish();
}
