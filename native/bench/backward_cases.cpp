// The cases of the backward direction: each op in every form that a plan can ask for, at small, ragged and prime sizes.
#include "bench/op_maker.hpp"

namespace diffcert::bench {
namespace {

// A load's way back: resampling, norm, SiLU, one of two sources.
struct Way {
  std::int32_t height = 6, width = 8, before = 0, channels = 20, after = 0;  // channels of sources before and after this one
  bool up2 = false, down2 = false, affine = true, silu = true, source = true;
  float scale = 1;
};

LoadGradient load_gradient(Maker& m, const Way& w) {
  const std::int32_t all = w.before + w.channels + w.after;
  LoadGradient in;
  in.gradient = m.feature(w.up2 ? 2 * w.height : w.down2 ? w.height / 2 : w.height, w.up2 ? 2 * w.width : w.down2 ? w.width / 2 : w.width, all);
  in.first = w.before;
  in.up2 = w.up2;
  in.down2 = w.down2;
  in.scale = w.scale;
  if (w.source) in.source = m.feature(w.height, w.width, w.channels);
  if (w.affine) in.load.affine = m.buffer(2 * all);
  in.load.silu = w.silu;
  return in;
}

// The sums of all sources, since a buffer that is half NaN cannot be compared.
OpCase sums(const char* name, const Way& given) {
  Maker m(name);
  const std::int32_t all = given.before + given.channels + given.after;
  const LoadGradient first = load_gradient(m, given);
  const BufferId out = m.buffer(2 * all);
  std::vector<Op> ops;
  for (const auto& [from, count] : {std::pair(0, given.before), std::pair(given.before, given.channels), std::pair(given.before + given.channels, given.after)}) {
    if (count == 0) continue;
    LoadGradient in = first;
    in.first = from;
    if (from != given.before) in.source = m.feature(given.height, given.width, count);
    ops.emplace_back(LoadSumsOp{in, m.buffer(2 * count), out});
  }
  return m.finish_all(ops, std::int64_t{1} * given.height * given.width);
}

OpCase pullback(const char* name, const Way& way, bool slopes, bool accumulate) {
  Maker m(name);
  const LoadGradient in = load_gradient(m, way);
  const BufferId at = slopes ? m.buffer(2 * (way.before + way.channels + way.after)) : kNone;
  return m.finish(PullbackOp{in, at, m.feature(way.height, way.width, way.channels), accumulate}, 4);
}

OpCase norm(const char* name, std::int32_t first, std::int32_t second, std::int32_t groups, bool adaptive, bool parameters) {
  Maker m(name);
  const std::int32_t channels = first + second;
  NormBackwardOp op;
  op.norm.stats[0] = m.buffer(2 * first);
  m.squares(op.norm.stats[0], first);
  if (second > 0) {
    op.norm.stats[1] = m.buffer(2 * second);
    m.squares(op.norm.stats[1], second);
  }
  op.norm.channels[0] = first;
  op.norm.channels[1] = second;
  op.norm.pixels = 35;
  op.norm.groups = groups;
  op.norm.eps = 1e-5;
  op.norm.gamma = m.weight(channels);
  op.norm.beta = m.weight(channels);
  op.sums = m.buffer(2 * channels);
  op.slopes = m.buffer(2 * channels);
  if (adaptive) op.norm.adaptive = m.buffer(2 * channels), op.adaptive = m.buffer(2 * channels);
  if (parameters) op.affine = m.buffer(2 * channels);
  return m.finish_norm(op, 1);
}

OpCase attention(const char* name, std::int32_t height, std::int32_t width, std::int32_t channels, std::int32_t heads, float size = 1) {
  Maker m(name);
  OpCase c = m.finish(AttentionBackwardOp{m.feature(height, width, 3 * channels), m.feature(height, width, channels), m.feature(height, width, 3 * channels), heads},
                      height * width + channels / heads);
  for (float& v : c.image) v *= size;
  return c;
}

// A convolution of `in` to `out` channels, backwards: out's gradient is height x width.
OpCase adjoint(const char* name, std::int32_t height, std::int32_t width, std::int32_t from, std::int32_t to, std::int32_t kernel, std::int32_t padding) {
  Maker m(name);
  ConvOp op;
  op.src[0] = m.feature(height, width, from);
  op.kernel = kernel;
  op.padding = padding;
  op.transposed = true;
  op.scale = 0.70710678f;
  op.out = m.feature(height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1, to);
  op.weight = m.weight(std::int64_t{1} * from * to * kernel * kernel, 1.0 / std::sqrt(from * kernel * kernel));
  return m.finish(op, std::int64_t{1} * from * kernel * kernel);
}

struct Learning {
  std::int32_t height = 6, width = 8, in[2] = {20, 0}, out = 24, kernel = 3, padding = 1;
  bool affine = true, silu = true, up2 = false, down2 = false;
};

OpCase weights(const char* name, const Learning& l) {
  Maker m(name);
  const std::int32_t channels = l.in[0] + l.in[1];
  ConvGradientOp op;
  for (int i = 0; i < 2; ++i) {
    if (l.in[i] > 0) op.src[i] = m.feature(l.height, l.width, l.in[i]);
  }
  if (l.affine) op.load.affine = m.buffer(2 * channels);
  op.load.silu = l.silu;
  op.kernel = l.kernel;
  op.padding = l.padding;
  op.up2 = l.up2;
  op.down2 = l.down2;
  const auto size = [&](std::int32_t n) { return (l.up2 ? 2 * n : l.down2 ? n / 2 : n) + 2 * l.padding - l.kernel + 1; };
  op.gradient = m.feature(size(l.height), size(l.width), l.out);
  op.scale = 0.5f;
  op.weight = m.weight(std::int64_t{1} * l.out * channels * l.kernel * l.kernel);
  return m.finish_learning(op, op.weight, std::int64_t{1} * op.gradient.height * op.gradient.width);
}

}  // namespace

std::vector<OpCase> backward_cases() {
  std::vector<OpCase> cases;
  cases.push_back(sums("sums of a load", {}));
  cases.push_back(sums("sums of a load of two sources", {.height = 7, .width = 5, .channels = 33, .after = 40}));
  cases.push_back(sums("sums of a load that doubles", {.before = 16, .channels = 24, .up2 = true, .silu = false}));
  cases.push_back(sums("sums of a load that halves", {.channels = 67, .down2 = true}));
  cases.push_back(norm("norm, backwards", 32, 0, 8, false, false));
  cases.push_back(norm("norm over two sources, adaptive, backwards", 24, 40, 16, true, true));
  cases.push_back(pullback("back through a load", {}, true, false));
  cases.push_back(pullback("back through a load, wide", {.channels = 24}, true, true));
  cases.push_back(pullback("back to a second source", {.height = 7, .width = 5, .before = 16, .channels = 40}, true, true));
  cases.push_back(pullback("back to a first source, ragged", {.height = 11, .width = 3, .channels = 13, .after = 8}, true, false));
  cases.push_back(pullback("back through SiLU alone", {.affine = false}, false, true));
  cases.push_back(pullback("back through doubling", {.channels = 16, .up2 = true}, true, false));
  cases.push_back(pullback("back through halving", {.down2 = true, .silu = false}, true, true));
  cases.push_back(pullback("back to a residual", {.affine = false, .silu = false, .source = false, .scale = 0.70710678f}, false, true));
  cases.push_back(pullback("back to a residual that doubled", {.channels = 32, .up2 = true, .affine = false, .silu = false, .source = false, .scale = 0.5f}, false, false));
  cases.push_back(pullback("back to a residual that halved", {.before = 8, .channels = 32, .down2 = true, .affine = false, .silu = false, .source = false}, false, false));
  cases.push_back(attention("attention backwards", 7, 7, 32, 1));
  cases.push_back(attention("attention backwards, two heads", 16, 8, 64, 2));
  cases.push_back(attention("attention backwards, prime sizes", 1, 13, 33, 3));
  cases.push_back(attention("attention backwards, one head of 256", 7, 5, 256, 1));
  cases.push_back(attention("attention backwards, scores far apart", 5, 13, 64, 1, 5));
  // On tensor cores: heads of up to 64, 128 and 256 channels, tiles of 32 and 64 tokens, blocks of 64.
  cases.push_back(attention("attention backwards, one token", 1, 1, 16, 2));
  cases.push_back(attention("attention backwards, one token of 72", 1, 1, 72, 1));
  cases.push_back(attention("attention backwards, one token of 256", 1, 1, 256, 1));
  cases.push_back(attention("attention backwards, 13 tokens, heads of 72", 13, 1, 216, 3));
  cases.push_back(attention("attention backwards, 13 tokens, heads of 136", 1, 13, 272, 2));
  cases.push_back(attention("attention backwards, 67 tokens, heads of 8", 1, 67, 24, 3));
  cases.push_back(attention("attention backwards, 67 tokens, heads of 72", 67, 1, 144, 2));
  cases.push_back(attention("attention backwards, 67 tokens, one head of 128", 1, 67, 128, 1));
  cases.push_back(attention("attention backwards, 67 tokens, one head of 136", 1, 67, 136, 1));
  cases.push_back(attention("attention backwards, 67 tokens, heads of 256", 1, 67, 512, 2));
  cases.push_back(attention("attention backwards, twelve heads of 64", 8, 8, 768, 12));
  cases.push_back(attention("attention backwards, many tokens", 17, 9, 64, 1));
  cases.push_back(attention("attention backwards, scores far apart, 128 channels", 5, 13, 128, 1, 5));
  cases.push_back(attention("attention backwards, scores far apart, 256 channels", 5, 13, 256, 1, 5));
  {
    Maker m("SiLU backwards");
    cases.push_back(m.finish(SiluBackwardOp{m.buffer(67), m.buffer(67), m.buffer(67), 67}, 1));
  }
  {
    Maker m("sums over pixels");
    cases.push_back(m.finish(ChannelSumOp{m.feature(11, 3, 67), m.buffer(67), 0.5f}, 33));
  }
  {
    Maker m("linear, backwards");
    LinearOp op{m.buffer(131), m.buffer(70), 131, 70};
    op.weight = m.weight(std::int64_t{131} * 70);
    op.in_scale = 1.5f;
    op.transposed = true;
    cases.push_back(m.finish(op, 131));
  }
  cases.push_back(adjoint("conv backwards", 8, 8, 32, 48, 3, 1));
  cases.push_back(adjoint("conv backwards, ragged", 7, 9, 19, 37, 3, 1));
  cases.push_back(adjoint("conv backwards, 1x1", 8, 5, 64, 24, 1, 0));
  cases.push_back(adjoint("conv backwards, unpadded", 9, 10, 16, 16, 3, 0));
  cases.push_back(adjoint("conv backwards, cropped", 12, 11, 16, 24, 3, -1));
  cases.push_back(adjoint("conv backwards, 5x5", 7, 6, 16, 32, 5, 2));
  cases.push_back(adjoint("conv backwards, from the output", 8, 8, 3, 64, 3, 1));
  cases.push_back(weights("conv's weight", {}));
  cases.push_back(weights("conv's weight, two sources", {.height = 7, .width = 5, .in = {24, 17}, .out = 67}));
  cases.push_back(weights("conv's weight, two sources in eights", {.height = 9, .width = 7, .in = {40, 24}, .out = 72}));
  cases.push_back(weights("conv's weight, raw", {.in = {32, 0}, .out = 16, .affine = false, .silu = false}));
  cases.push_back(weights("conv's weight, doubled", {.height = 4, .width = 3, .up2 = true}));
  cases.push_back(weights("conv's weight, halved", {.height = 14, .width = 10, .in = {40, 0}, .down2 = true}));
  cases.push_back(weights("conv's weight, 1x1 of two sources", {.in = {16, 33}, .out = 40, .kernel = 1, .padding = 0, .affine = false, .silu = false}));
  cases.push_back(weights("conv's weight, wide padding", {.padding = 2}));
  cases.push_back(weights("conv's weight, 5x5", {.in = {8, 0}, .out = 8, .kernel = 5, .padding = 2}));
  cases.push_back(weights("conv's weight, from the image", {.in = {3, 0}, .out = 70, .affine = false, .silu = false}));
  cases.push_back(weights("conv's weight, to the output", {.in = {72, 0}, .out = 3}));
  cases.push_back(weights("conv's weight, many blocks", {.height = 2, .width = 3, .in = {1152, 0}, .out = 1032, .kernel = 1, .padding = 0, .silu = false}));
  {
    Maker m("linear's weight");
    LinearGradientOp op{m.buffer(70), m.buffer(131), 70, 131, 1.5f};
    op.weight = m.weight(std::int64_t{70} * 131);
    cases.push_back(m.finish_learning(op, op.weight, 1));
  }
  {
    Maker m("a vector of weights");
    AccumulateOp op{m.buffer(600), 17, 500};
    op.weight = m.weight(500);
    cases.push_back(m.finish_learning(op, op.weight, 1));
  }
  return cases;
}

}  // namespace diffcert::bench
