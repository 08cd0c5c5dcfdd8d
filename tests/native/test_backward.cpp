// The backward direction of every op in float64, by finite differences, at ragged and prime sizes drawn from a printed seed.
//
// A case is a small plan of leaves (buffers that nothing writes), weights and an output. Its gradients by every leaf and weight are held,
// along a random direction, against the sixth-order central difference of sum(cotangent * output).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "ops/dropout.hpp"
#include "reference/ops.hpp"
#include "unet/backward.hpp"
#include "unet/planner.hpp"

using namespace diffcert;

namespace {

using Values = std::vector<double>;

class Case {
 public:
  Case(std::string name, std::uint32_t seed) : name_(std::move(name)), random_(seed) {}

  int pick(int low, int high) { return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1)); }
  bool flip() { return random_() % 2 == 0; }
  int prime() {
    static constexpr int kPrimes[] = {1, 2, 3, 5, 7, 11};
    return kPrimes[random_() % 6];
  }

  BufferId buffer(std::int64_t elements) {
    plan_.buffers.push_back({elements, 0});
    return static_cast<BufferId>(plan_.buffers.size() - 1);
  }
  BufferId leaf(std::int64_t elements) {
    leaves_.push_back(buffer(elements));
    return leaves_.back();
  }
  // What a dropout is drawn from: given, no leaf to differentiate by.
  BufferId given(std::int64_t elements, std::uint64_t seed) {
    given_.push_back(buffer(elements));
    given_values_.resize(static_cast<std::size_t>(elements));
    write_chance(seed, pick(0, 1000), given_values_.data());
    return given_.back();
  }
  Feature feature(int h, int w, int c) { return {buffer(std::int64_t{1} * h * w * c), h, w, c}; }
  Feature leaf(int h, int w, int c) { return {leaf(std::int64_t{1} * h * w * c), h, w, c}; }
  WeightId weight(std::int64_t count) {
    plan_.weights.push_back({"w", {count}});
    weights_.push_back(draw(count));
    return static_cast<WeightId>(weights_.size() - 1);
  }
  template <class T>
  void op(const T& op) {
    plan_.ops.emplace_back(op);
  }
  // Statistics and a norm over one or two leaves, as a load.
  Load norm(const std::vector<Feature>& in, bool silu, bool adaptive) {
    NormOp norm;
    std::int32_t channels = 0;
    for (std::size_t s = 0; s < in.size(); ++s) {
      norm.stats[s] = buffer(2 * in[s].channels);
      op(StatsOp{in[s], norm.stats[s]});
      norm.channels[s] = in[s].channels;
      channels += in[s].channels;
    }
    norm.pixels = in[0].height * in[0].width;
    norm.groups = channels % 3 == 0 ? 3 : channels % 2 == 0 ? 2 : 1;
    norm.eps = 1e-3;
    norm.gamma = weight(channels);
    norm.beta = weight(channels);
    if (adaptive) norm.adaptive = leaf(2 * channels);
    norm.out = buffer(2 * channels);
    op(norm);
    return {norm.out, silu};
  }

  void check(const Feature& output) {
    const Values cotangent = draw(reference::elements(output));
    const auto forward_ops = plan_.ops.size();
    const BufferId from = buffer(reference::elements(output));
    Plan both = plan_;
    const std::vector<BufferId> gradients = append_backward(both, output, from, leaves_, {true, {}});

    std::vector<Values> memory(both.buffers.size()), sums(weights_.size());
    for (std::size_t b = 0; b < memory.size(); ++b) memory[b].assign(static_cast<std::size_t>(both.buffers[b].elements), NAN);
    for (const BufferId id : leaves_) memory[static_cast<std::size_t>(id)] = draw(plan_.buffers[static_cast<std::size_t>(id)].elements);
    for (std::size_t w = 0; w < sums.size(); ++w) sums[w].assign(weights_[w].size(), 0.0);
    memory[static_cast<std::size_t>(from)] = cotangent;
    for (const BufferId id : given_) memory[static_cast<std::size_t>(id)] = given_values_;
    const std::vector<Values> leaves = memory;
    run(both, 0, both.ops.size(), memory, sums);

    const auto objective = [&] {
      std::vector<Values> now = leaves;
      for (const BufferId id : leaves_) now[static_cast<std::size_t>(id)] = moved_[static_cast<std::size_t>(id)];
      run(both, 0, forward_ops, now, sums);
      double sum = 0;
      for (std::size_t i = 0; i < cotangent.size(); ++i) sum += cotangent[i] * now[static_cast<std::size_t>(output.buffer)][i];
      return sum;
    };
    moved_ = leaves;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const auto id = static_cast<std::size_t>(leaves_[i]);
      CHECK(gradients[i] != kNone) << name_ << ": no gradient by leaf " << i;
      if (gradients[i] == kNone) continue;
      compare("leaf " + std::to_string(i), moved_[id], memory[static_cast<std::size_t>(gradients[i])], objective);
    }
    for (std::size_t w = 0; w < weights_.size(); ++w) compare("weight " + std::to_string(w), weights_[w], sums[w], objective);
  }

  static double worst;

 private:
  Values draw(std::int64_t count) {
    Values values(static_cast<std::size_t>(count));
    for (double& v : values) v = std::uniform_real_distribution<double>(-1, 1)(random_);
    return values;
  }

  void run(const Plan& plan, std::size_t from, std::size_t to, std::vector<Values>& memory, std::vector<Values>& sums) {
    const reference::Place at{[&](BufferId id) { return memory[static_cast<std::size_t>(id)].data(); },
                              [&](WeightId id) -> const Values& { return weights_[static_cast<std::size_t>(id)]; },
                              [&](WeightId id) { return sums[static_cast<std::size_t>(id)].data(); }};
    for (std::size_t i = from; i < to; ++i) std::visit([&](const auto& o) { reference::run(o, at); }, plan.ops[i]);
  }

  // The slope along a random direction, ours and by differences, and along the first axis.
  void compare(const std::string& what, Values& values, const Values& gradient, const std::function<double()>& objective) {
    const Values start = values;
    for (const bool axis : {false, true}) {
      Values direction = axis ? Values(values.size(), 0.0) : draw(static_cast<std::int64_t>(values.size()));
      if (axis) direction[random_() % direction.size()] = 1;
      double ours = 0, scale = 0;
      for (std::size_t i = 0; i < direction.size(); ++i) {
        ours += gradient[i] * direction[i];
        scale += std::fabs(gradient[i] * direction[i]);
      }
      const auto value = [&](double step) {
        for (std::size_t i = 0; i < start.size(); ++i) values[i] = start[i] + step * direction[i];
        return objective();
      };
      // Of sixth order (Richardson): a norm of a group whose values are close together bends so sharply that the fourth order's error is 1e-7 and more. Where
      // it bends more sharply still, what Richardson took off is what the slope is in doubt by.
      const auto fourth = [&](double step) { return (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step); };
      const double fine = fourth(5e-4), slope = (16 * fine - fourth(1e-3)) / 15;
      values = start;
      const double error = std::fmax(std::fabs(ours - slope) - std::fabs(fine - slope), 0) / (scale + 1e-2);
      worst = std::fmax(worst, error);
      CHECK(error < 1e-7) << name_ << ", " << what << (axis ? ", an axis" : "") << ": " << ours << ", by differences " << slope;
    }
  }

  std::string name_;
  std::mt19937 random_;
  Plan plan_;
  std::vector<BufferId> leaves_, given_;
  Values given_values_;
  std::vector<Values> weights_, moved_;
};

double Case::worst = 0;

void check_conv(std::uint32_t seed) {
  Case c("conv", seed);
  ConvOp op;
  const int way = c.pick(0, 2);  // plain, up2, down2
  op.up2 = way == 1, op.down2 = way == 2;
  op.kernel = c.flip() ? 3 : 1;
  op.padding = op.kernel / 2 + (c.pick(0, 3) == 0 ? c.pick(1, 2) : 0);
  const int h = c.prime() * (op.down2 ? 2 : 1), w = c.prime() * (op.down2 ? 2 : 1);
  const int high = (op.up2 ? 2 * h : op.down2 ? h / 2 : h) + 2 * op.padding - op.kernel + 1;
  const int wide = (op.up2 ? 2 * w : op.down2 ? w / 2 : w) + 2 * op.padding - op.kernel + 1;
  const int out = c.pick(2, 5);
  std::vector<Feature> sources{c.leaf(h, w, c.prime())};
  if (c.flip()) sources.push_back(c.leaf(h, w, c.prime()));
  int channels = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) op.src[s] = sources[s], channels += sources[s].channels;
  if (c.flip()) op.load = c.norm(sources, c.flip(), c.flip());
  else op.load.silu = c.flip();
  op.weight = c.weight(std::int64_t{1} * out * channels * op.kernel * op.kernel);
  if (c.flip()) op.bias = c.weight(out);
  if (c.flip()) {
    op.skip[0] = high == h && wide == w && c.flip() ? sources[0] : c.leaf(high, wide, c.prime());
    if (c.flip()) op.skip[1] = c.leaf(high, wide, c.prime());
    op.skip_weight = c.weight(std::int64_t{1} * out * (op.skip[0].channels + op.skip[1].channels));
    op.skip_bias = c.weight(out);
  }
  if (c.flip()) op.shift = c.leaf(out);
  if (c.flip()) {
    op.residual_down2 = c.flip();
    op.residual_up2 = !op.residual_down2 && high % 2 == 0 && wide % 2 == 0 && c.flip();
    const int rh = op.residual_down2 ? 2 * high : op.residual_up2 ? high / 2 : high;
    const int rw = op.residual_down2 ? 2 * wide : op.residual_up2 ? wide / 2 : wide;
    const int tail = c.flip() ? c.pick(1, out - 1) : 0;
    op.residual = c.leaf(rh, rw, out - tail);
    if (tail > 0) op.residual_tail = c.leaf(rh, rw, tail);
  }
  op.scale = 0.75f;
  op.out = c.feature(high, wide, out);
  c.op(op);
  c.check(op.out);
}

void check_resample(std::uint32_t seed) {
  Case c("resampling", seed);
  static const std::vector<std::vector<float>> kFilters = {
      {0.5f, 0.5f}, {0.125f, 0.375f, 0.375f, 0.125f}, {0.03125f, 0.15625f, 0.3125f, 0.3125f, 0.15625f, 0.03125f}};
  ResampleOp op;
  op.filter = kFilters[static_cast<std::size_t>(c.pick(0, 2))];
  const int taps = static_cast<int>(op.filter.size());
  op.up = c.flip();
  op.padding = c.flip() ? (taps - 1) / 2 : 0;
  const int h = taps + c.prime(), w = taps + c.prime();
  const auto extent = [&](int n) { return op.up ? 2 * (n - 1) + taps - 2 * op.padding : (n + 2 * op.padding - taps) / 2 + 1; };
  op.in = c.leaf(h, w, c.prime());
  if (c.flip()) op.load = c.norm({op.in}, c.flip(), c.flip());
  op.out = c.feature(extent(h), extent(w), op.in.channels);
  c.op(op);
  c.check(op.out);
}

void check_attention(std::uint32_t seed) {
  Case c("attention", seed);
  const int heads = c.pick(1, 3), channels = heads * c.prime(), h = c.prime(), w = c.pick(1, 3);
  AttentionOp op{c.leaf(h, w, 3 * channels), c.feature(h, w, channels), heads};
  c.op(op);
  c.check(op.out);
}

// Through a load, and read by a convolution, as in a block; which elements are dropped does not depend on the values.
void check_dropout(std::uint32_t seed) {
  Case c("dropout", seed);
  DropoutOp op;
  op.in = c.leaf(c.prime(), c.prime(), c.prime());
  if (c.flip()) op.load = c.norm({op.in}, c.flip(), c.flip());
  op.chance = c.given(kChanceParts, seed);
  op.layer = c.pick(0, 40);
  op.rate = dropout_rate(0.3);
  op.out = c.feature(op.in.height, op.in.width, op.in.channels);
  c.op(op);
  ConvOp conv;
  conv.src[0] = op.out;
  conv.weight = c.weight(std::int64_t{1} * 9 * 2 * op.in.channels);
  conv.out = c.feature(op.in.height, op.in.width, 2);
  c.op(conv);
  c.check(conv.out);
}

void check_linear(std::uint32_t seed) {
  Case c("linear", seed);
  LinearOp op;
  op.in_features = c.prime(), op.out_features = c.prime();
  op.in = c.leaf(op.in_features), op.out = c.buffer(op.out_features);
  op.weight = c.weight(std::int64_t{1} * op.in_features * op.out_features);
  if (c.flip()) op.bias = c.weight(op.out_features);
  if (c.flip()) op.addend = c.leaf(op.out_features);
  op.in_scale = c.flip() ? 1.5f : 1.0f;
  op.silu = c.flip();
  c.op(op);
  c.check({op.out, 1, 1, op.out_features});
}

// A map that several ops read, a linear map of what a linear map gave, a sum of a thing with itself, statistics of what a convolution wrote.
void check_together(std::uint32_t seed) {
  Case c("together", seed);
  const int h = c.prime(), w = c.prime(), channels = 2 * c.pick(1, 3);
  const BufferId embedding = c.leaf(5);
  LinearOp hidden{embedding, c.buffer(3), 5, 3};
  hidden.weight = c.weight(15), hidden.silu = true;
  c.op(hidden);
  LinearOp shift{hidden.out, c.buffer(channels), 3, channels};
  shift.weight = c.weight(3 * channels), shift.bias = c.weight(channels);
  c.op(shift);
  LinearOp adaptive{hidden.out, c.buffer(2 * channels), 3, 2 * channels};
  adaptive.weight = c.weight(6 * channels);
  c.op(adaptive);
  const Feature x = c.leaf(h, w, channels);
  ConvOp first;
  first.src[0] = x;
  first.load = c.norm({x}, true, false);
  first.weight = c.weight(9 * channels * channels);
  first.shift = shift.out;
  first.out = c.feature(h, w, channels);
  first.stats = c.buffer(2 * channels);
  c.op(first);
  NormOp norm;
  norm.stats[0] = first.stats, norm.channels[0] = channels, norm.pixels = h * w, norm.groups = 2, norm.eps = 1e-3;
  norm.gamma = c.weight(channels), norm.beta = c.weight(channels), norm.adaptive = adaptive.out, norm.out = c.buffer(2 * channels);
  c.op(norm);
  ConvOp second;
  second.src[0] = first.out;
  second.load = {norm.out, true};
  second.weight = c.weight(9 * channels * channels);
  second.residual = x;
  second.scale = 0.7f;
  second.out = c.feature(h, w, channels);
  c.op(second);
  const AddOp twice{second.out, second.out, c.feature(h, w, channels), 0.5f, kNone};
  c.op(twice);
  const AddOp sum{twice.out, x, c.feature(h, w, channels), 0.3f, kNone};
  c.op(sum);
  c.check(sum.out);
}

}  // namespace

int main() {
  const char* given = std::getenv("DIFFCERT_SEED");
  const std::uint32_t seed = given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::printf("seed %u (DIFFCERT_SEED repeats it)\n", seed);
  const std::uint32_t rounds = check::depth() == 0 ? 20 : 60 * static_cast<std::uint32_t>(check::depth());
  for (std::uint32_t i = 0; i < rounds; ++i) {
    check_conv(seed + i);
    check_resample(seed + i);
    check_attention(seed + i);
    check_dropout(seed + i);
    check_linear(seed + i);
    check_together(seed + i);
  }
  std::printf("worst error %.1e\n", Case::worst);
  return check::finish();
}
