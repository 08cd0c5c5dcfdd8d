// Every op of the CPU device but the convolution against its definition in float64, and its bits on three instruction sets.
//
// As in bench/conv_case.hpp, an op's buffers are slices of the plan's image, with a batch of one; whole networks in
// test_cpu_network.cpp see to batches.
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "bench/op_cases.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "cpu/kernels.hpp"
#include "ops/device.hpp"

using namespace diffcert;

namespace {

struct Case {
  Plan plan;
  std::vector<std::vector<float>> weights;
  std::vector<float> memory, after;

  Case() { plan.buffers.push_back({0, 0}), plan.noise_label = buffer(1); }

  BufferId buffer(std::int64_t elements) {
    plan.buffers.push_back({elements, plan.arena_elements});
    plan.arena_elements += (elements + 15) / 16 * 16;
    return static_cast<BufferId>(plan.buffers.size() - 1);
  }
  Feature feature(std::int32_t h, std::int32_t w, std::int32_t c) { return {buffer(std::int64_t{1} * h * w * c), h, w, c}; }
  WeightId weight(std::int64_t count) {
    plan.weights.push_back({"w", {count}});
    weights.push_back(bench::random_floats(count, 50 + static_cast<std::uint32_t>(weights.size())));
    return static_cast<WeightId>(weights.size() - 1);
  }
  double w(WeightId id, std::int64_t i) const { return weights[static_cast<std::size_t>(id)][static_cast<std::size_t>(i)]; }
  // What buffer b held before the op, and after it.
  double before(BufferId b, std::int64_t i) const { return memory[static_cast<std::size_t>(offset(b) + i)]; }
  double now(BufferId b, std::int64_t i) const { return after[static_cast<std::size_t>(offset(b) + i)]; }
  std::int64_t offset(BufferId b) const { return plan.buffers[static_cast<std::size_t>(b)].offset; }

  void run(const Op& op) {
    plan.buffers[0].elements = plan.arena_elements;
    plan.image = plan.output = {0, 1, 1, static_cast<std::int32_t>(plan.arena_elements)};
    plan.ops = {op};
    memory = bench::random_floats(plan.arena_elements, 9);
    memory[static_cast<std::size_t>(offset(plan.noise_label))] = 0.75f;
    after = run_on("", 1);
    for (const char* isa : {"portable", "avx2", "avx512"}) {
      try {
        cpu::choose_kernels(isa);
      } catch (const Error&) {
        continue;  // this machine lacks it
      }
      const auto other = run_on(isa, 2);
      CHECK(std::memcmp(other.data(), after.data(), after.size() * sizeof(float)) == 0) << "op " << op.index() << " on " << isa;
    }
  }

  std::vector<float> run_on(const std::string& isa, int threads) {
    const auto executor = make_cpu_executor(plan, threads, isa);
    for (std::size_t i = 0; i < weights.size(); ++i) executor->set_weight(static_cast<WeightId>(i), weights[i]);
    executor->prepare(1);
    std::vector<float> out(memory.size());
    const float label = 0.75f;
    executor->run(1, memory.data(), &label, nullptr, out.data());
    return out;
  }

  void expect(BufferId b, std::int64_t count, double tolerance, const char* what,
              const std::function<double(std::int64_t)>& expected) const {
    double worst = 0;
    for (std::int64_t i = 0; i < count; ++i) worst = std::max(worst, std::fabs(now(b, i) - expected(i)));
    CHECK(worst < tolerance) << what << ": " << worst;
  }
};

void check_embed(bool endpoint, bool swap, bool fourier) {
  Case c;
  EmbedOp op{c.plan.noise_label, c.buffer(32), 32, endpoint, swap, fourier ? c.weight(16) : kNone};
  c.run(op);
  c.expect(op.out, 32, 1e-6, "embedding", [&](std::int64_t i) {
    const std::int64_t k = i % 16;
    const double frequency = fourier ? 2 * M_PI * c.w(op.freqs, k) : std::pow(10000.0, -static_cast<double>(k) / (endpoint ? 15 : 16));
    const bool sine = (i >= 16) != swap;
    return sine ? std::sin(0.75 * frequency) : std::cos(0.75 * frequency);
  });
}

void check_linear(std::int32_t in, std::int32_t out, bool extras) {
  Case c;
  LinearOp op{c.buffer(in), c.buffer(out), in, out};
  op.weight = c.weight(std::int64_t{1} * in * out);
  if (extras) {
    op.bias = c.weight(out);
    op.addend = c.buffer(out);
    op.in_scale = 1.5f;
    op.silu = true;
  }
  c.run(op);
  c.expect(op.out, out, 1e-5, "linear", [&](std::int64_t n) {
    double sum = extras ? c.w(op.bias, n) + c.before(op.addend, n) : 0;
    for (std::int64_t k = 0; k < in; ++k) sum += c.w(op.weight, n * in + k) * c.before(op.in, k) * (extras ? 1.5 : 1.0);
    return extras ? sum / (1 + std::exp(-sum)) : sum;
  });
}

void check_norm(std::int32_t first, std::int32_t second, std::int32_t groups, bool adaptive) {
  Case c;
  const std::int32_t channels = first + second;
  NormOp op;
  op.stats[0] = c.buffer(2 * first);
  if (second > 0) op.stats[1] = c.buffer(2 * second);
  op.channels[0] = first;
  op.channels[1] = second;
  op.pixels = 10;
  op.groups = groups;
  op.eps = 30;  // random squares may be negative; the sum under the root must not
  op.gamma = c.weight(channels);
  op.beta = c.weight(channels);
  if (adaptive) op.adaptive = c.buffer(2 * channels);
  op.out = c.buffer(2 * channels);
  c.run(op);
  const auto stat = [&](std::int64_t n, bool m2) {
    const int s = n < first ? 0 : 1;
    return c.before(op.stats[s], n - (s ? first : 0) + (m2 ? op.channels[s] : 0));
  };
  c.expect(op.out, 2 * channels, 1e-6, "norm", [&](std::int64_t i) {
    const std::int64_t n = i % channels, width = channels / groups, from = n / width * width;
    double mean = 0, square = 0;
    for (std::int64_t k = from; k < from + width; ++k) mean += stat(k, false) / static_cast<double>(width);
    // E[v^2] - E[v]^2 of the group, from each channel's own moments
    for (std::int64_t k = from; k < from + width; ++k) square += stat(k, true) / 10 + stat(k, false) * stat(k, false);
    const double rstd = 1 / std::sqrt(square / static_cast<double>(width) - mean * mean + 30);
    double a = c.w(op.gamma, n) * rstd, b = c.w(op.beta, n) - mean * a;
    if (adaptive) {
      a *= 1 + c.before(op.adaptive, n);
      b = b * (1 + c.before(op.adaptive, n)) + c.before(op.adaptive, channels + n);
    }
    return i < channels ? a : b;
  });
}

void check_attention(std::int32_t height, std::int32_t width, std::int32_t channels, std::int32_t heads) {
  Case c;
  AttentionOp op{c.feature(height, width, 3 * channels), c.feature(height, width, channels), heads};
  c.run(op);
  const std::int64_t pixels = std::int64_t{1} * height * width, deep = channels / heads;
  c.expect(op.out.buffer, pixels * channels, 1e-5, "attention", [&](std::int64_t i) {
    const std::int64_t query = i / channels, channel = i % channels, head = channel / deep * deep;
    double sum = 0, value = 0;
    for (std::int64_t key = 0; key < pixels; ++key) {
      double score = 0;
      for (std::int64_t k = 0; k < deep; ++k) {
        score += c.before(op.in.buffer, query * 3 * channels + head + k) *
                 c.before(op.in.buffer, key * 3 * channels + channels + head + k);
      }
      const double weight = std::exp(score / std::sqrt(static_cast<double>(deep)));
      sum += weight;
      value += weight * c.before(op.in.buffer, key * 3 * channels + 2 * channels + channel);
    }
    return value / sum;
  });
}

void check_resample(bool up, std::vector<float> filter, std::int32_t padding, bool load) {
  Case c;
  const auto taps = static_cast<std::int32_t>(filter.size());
  const auto size = [&](std::int32_t n) { return up ? 2 * (n - 1) + taps - 2 * padding : (n + 2 * padding - taps) / 2 + 1; };
  ResampleOp op;
  op.in = c.feature(6, 8, 20);
  op.out = c.feature(size(6), size(8), 20);
  if (load) op.load = {c.buffer(40), true};
  op.up = up;
  op.padding = padding;
  op.filter = filter;
  op.stats = c.buffer(40);
  c.run(op);
  const auto loaded = [&](std::int64_t y, std::int64_t x, std::int64_t n) {
    const double v = c.before(op.in.buffer, (y * 8 + x) * 20 + n);
    if (!load) return v;
    const double u = c.before(op.load.affine, n) * v + c.before(op.load.affine, 20 + n);
    return u / (1 + std::exp(-u));
  };
  c.expect(op.out.buffer, std::int64_t{1} * op.out.height * op.out.width * 20, 2e-6, "resampling", [&](std::int64_t i) {
    const std::int64_t n = i % 20, x = i / 20 % op.out.width, y = i / 20 / op.out.width;
    double sum = 0;
    for (std::int64_t py = 0; py < 6; ++py) {
      for (std::int64_t px = 0; px < 8; ++px) {
        const std::int64_t ty = up ? y + padding - 2 * py : py + padding - 2 * y;
        const std::int64_t tx = up ? x + padding - 2 * px : px + padding - 2 * x;
        if (ty < 0 || ty >= taps || tx < 0 || tx >= taps) continue;
        sum += (up ? 4.0 : 1.0) * filter[static_cast<std::size_t>(ty)] * filter[static_cast<std::size_t>(tx)] * loaded(py, px, n);
      }
    }
    return sum;
  });
}

void check_add_and_statistics() {
  Case c;
  AddOp op{c.feature(5, 7, 19), c.feature(5, 7, 19), c.feature(5, 7, 19), 0.5f, c.buffer(38)};
  c.run(op);
  const auto value = [&](std::int64_t i) { return 0.5 * (c.before(op.a.buffer, i) + c.before(op.b.buffer, i)); };
  c.expect(op.out.buffer, 5 * 7 * 19, 1e-7, "addition", value);
  c.expect(op.stats, 38, 2e-6, "statistics", [&](std::int64_t i) {
    double mean = 0, m2 = 0;
    for (std::int64_t p = 0; p < 35; ++p) mean += value(p * 19 + i % 19) / 35;
    for (std::int64_t p = 0; p < 35; ++p) m2 += std::pow(value(p * 19 + i % 19) - mean, 2);
    return i < 19 ? mean : m2;
  });
  Case d;
  StatsOp stats{d.feature(3, 3, 64), d.buffer(128)};
  d.run(stats);
  d.expect(stats.out, 64, 1e-6, "means", [&](std::int64_t i) {
    double mean = 0;
    for (std::int64_t p = 0; p < 9; ++p) mean += d.before(stats.in.buffer, p * 64 + i) / 9;
    return mean;
  });
}

// The cases that all devices share, against the reference device; the convolutions are test_cpu_conv's.
void check_listed_cases() {
  std::vector<bench::OpCase> cases = bench::op_cases();
  for (bench::OpCase& c : bench::backward_cases()) cases.push_back(std::move(c));
  for (const bench::OpCase& c : cases) {
    if (std::holds_alternative<ConvOp>(c.plan.ops.front())) continue;
    if (c.learnt != kNone) {
      const auto executor = make_cpu_executor(c.plan, 1, "");
      bench::run_batch(c, *executor, {0, 1, 2});
      const double error = bench::relative_error(bench::learnt(c, *executor), bench::learnt_by_reference(c, {0, 1, 2}));
      CHECK(error <= 3 * bench::tolerance(c)) << c.name << ": " << error;  // Winograd's sums among them
      continue;
    }
    const auto expected = bench::run_reference(c);
    const auto actual = bench::run_case(c, *make_cpu_executor(c.plan, 1, ""));
    for (const BufferId b : c.written) CHECK(bench::relative_error(c, b, actual, expected) <= bench::tolerance(c)) << c.name;
  }
}

}  // namespace

int main() {
  for (const bool endpoint : {false, true}) check_embed(endpoint, !endpoint, false);
  check_embed(false, false, true);
  check_linear(10, 33, false);
  check_linear(128, 512, true);
  check_norm(32, 0, 8, false);
  check_norm(24, 40, 16, true);
  check_attention(7, 7, 32, 1);
  check_attention(16, 16, 64, 2);
  check_attention(1, 3, 10, 2);
  check_resample(false, {0.5f, 0.5f}, 0, false);
  check_resample(true, {0.5f, 0.5f}, 0, true);
  check_resample(false, {0.125f, 0.375f, 0.375f, 0.125f}, 1, true);
  check_resample(true, {0.125f, 0.375f, 0.375f, 0.125f}, 1, false);
  check_resample(false, {0.125f, 0.375f, 0.375f, 0.125f}, 2, false);
  check_add_and_statistics();
  check_listed_cases();
  return check::finish();
}
