#include "bench/op_cases.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "bench/op_maker.hpp"
#include "kernels/bf16.cuh"
#include "ops/dropout.hpp"

namespace diffcert::bench {
namespace {

constexpr int kSamples = 64;  // of a case: number s is its image times 1 - s / 64

OpCase embed(const char* name, std::int32_t channels, bool endpoint, bool swap, bool fourier) {
  Maker m(name);
  return m.finish(EmbedOp{m.noise_label(), m.buffer(channels), channels, endpoint, swap, fourier ? m.weight(channels / 2) : kNone}, 1);
}

OpCase linear(const char* name, std::int32_t in, std::int32_t out, bool extras) {
  Maker m(name);
  LinearOp op{m.buffer(in), m.buffer(out), in, out};
  op.weight = m.weight(std::int64_t{1} * in * out);
  if (extras) {
    op.bias = m.weight(out);
    op.addend = m.buffer(out);
    op.in_scale = 1.5f;
    op.silu = true;
  }
  return m.finish(op, in);
}

OpCase norm(const char* name, std::int32_t first, std::int32_t second, std::int32_t groups, bool adaptive) {
  Maker m(name);
  const std::int32_t channels = first + second;
  NormOp op;
  op.stats[0] = m.buffer(2 * first);
  m.squares(op.stats[0], first);
  if (second > 0) {
    op.stats[1] = m.buffer(2 * second);
    m.squares(op.stats[1], second);
  }
  op.channels[0] = first;
  op.channels[1] = second;
  op.pixels = 35;
  op.groups = groups;
  op.eps = 1e-5;
  op.gamma = m.weight(channels);
  op.beta = m.weight(channels);
  if (adaptive) op.adaptive = m.buffer(2 * channels);
  op.out = m.buffer(2 * channels);
  return m.finish_norm(op, 1);
}

// `size` times as large, queries and keys give scores far apart: a softmax of a few keys, and a maximum that keeps rising.
OpCase attention(const char* name, std::int32_t height, std::int32_t width, std::int32_t channels, std::int32_t heads, float size = 1) {
  Maker m(name);
  OpCase c = m.finish(AttentionOp{m.feature(height, width, 3 * channels), m.feature(height, width, channels), heads}, height * width);
  for (float& v : c.image) v *= size;
  return c;
}

OpCase resample(const char* name, bool up, std::vector<float> filter, std::int32_t padding, bool load) {
  Maker m(name);
  const auto taps = static_cast<std::int32_t>(filter.size());
  const auto size = [&](std::int32_t n) { return up ? 2 * (n - 1) + taps - 2 * padding : (n + 2 * padding - taps) / 2 + 1; };
  ResampleOp op;
  op.in = m.feature(6, 8, 20);
  op.out = m.feature(size(6), size(8), 20);
  if (load) op.load = {m.buffer(40), true};
  op.up = up;
  op.padding = padding;
  op.filter = std::move(filter);
  op.stats = m.buffer(40);
  return m.finish(op, 16);
}

// Parts of a chance are whole numbers, in every sample (sample_image).
OpCase dropout(const char* name, std::int32_t height, std::int32_t width, std::int32_t channels, bool affine, bool silu) {
  Maker m(name);
  DropoutOp op;
  op.in = m.feature(height, width, channels);
  if (affine) op.load.affine = m.buffer(2 * channels);
  op.load.silu = silu;
  op.chance = m.buffer(kChanceParts);
  op.out = m.feature(height, width, channels);
  op.layer = 5;
  op.rate = dropout_rate(0.3);
  OpCase c = m.finish(op, 1);
  for (int part = 0; part < kChanceParts; ++part) {
    c.image[static_cast<std::size_t>(c.plan.buffers[static_cast<std::size_t>(op.chance)].offset + part)] = static_cast<float>(kSamples * (37 * part + 11));
  }
  return c;
}

OpCase convolution(const NamedShape& named) {
  ConvCase c(named.shape);
  OpCase out;
  out.name = named.name;
  out.plan = c.plan;
  out.weights = c.weights;
  out.image = c.image;
  out.depth = std::int64_t{1} * named.shape.kernel * named.shape.kernel * (named.shape.in[0] + named.shape.in[1]) + named.shape.skip[0] + named.shape.skip[1];
  for (const BufferId id : {c.op.out.buffer, c.op.stats}) {
    if (id == kNone) continue;
    out.written.push_back(id);
    const Buffer& place = out.plan.buffers[static_cast<std::size_t>(id)];
    for (std::int64_t i = 0; i < place.elements; ++i) out.image[static_cast<std::size_t>(place.offset + i)] = std::numeric_limits<float>::quiet_NaN();
  }
  return out;
}

}  // namespace

std::vector<NamedShape> conv_shapes() {
  using S = ConvShape;
  return {{"plain", S{.height = 8, .width = 8, .in = {32, 0}, .out = 32}},
          {"two sources", S{.height = 12, .width = 8, .in = {32, 48}, .out = 64}},
          {"ragged", S{.height = 7, .width = 7, .in = {32, 0}, .out = 16, .residual = true}},
          {"one row", S{.height = 1, .width = 13, .in = {16, 0}, .out = 16}},
          {"skip", S{.height = 14, .width = 14, .in = {32, 0}, .out = 48, .skip = {16, 32}}},
          {"raw", S{.height = 28, .width = 28, .in = {64, 0}, .out = 32, .affine = false, .silu = false, .shift = false}},
          {"up", S{.height = 6, .width = 7, .in = {32, 0}, .out = 32, .up2 = true}},
          {"up with residual", S{.height = 6, .width = 8, .in = {32, 0}, .out = 32, .up2 = true, .residual = true, .residual_up2 = true}},
          {"down", S{.height = 14, .width = 10, .in = {80, 0}, .out = 32, .down2 = true, .residual = true, .residual_down2 = true}},
          {"residual of two parts", S{.height = 8, .width = 8, .in = {48, 0}, .out = 48, .residual = true, .residual_tail = 16}},
          {"input", S{.height = 16, .width = 16, .in = {3, 0}, .out = 32, .affine = false, .silu = false}},
          {"output", S{.height = 16, .width = 16, .in = {64, 0}, .out = 3}},
          {"odd channels", S{.height = 9, .width = 5, .in = {20, 7}, .out = 37, .skip = {5, 9}, .residual = true}},
          {"1x1", S{.height = 8, .width = 8, .in = {64, 0}, .out = 96, .kernel = 1, .padding = 0, .silu = false}},
          {"raw 1x1", S{.height = 8, .width = 9, .in = {64, 24}, .out = 40, .kernel = 1, .padding = 0, .affine = false, .silu = false, .residual = true}},
          {"wide padding", S{.height = 8, .width = 8, .in = {16, 0}, .out = 16, .padding = 2}},
          {"up 1x1", S{.height = 4, .width = 4, .in = {16, 0}, .out = 16, .kernel = 1, .padding = 0, .up2 = true}},
          {"deep", S{.height = 8, .width = 8, .in = {512, 256}, .out = 96}},
          {"prime sizes", S{.height = 17, .width = 11, .in = {24, 0}, .out = 40}},
          {"wider than a tile", S{.height = 5, .width = 13, .in = {40, 16}, .out = 136, .skip = {16, 24}, .residual = true, .residual_tail = 8}},
          {"ADM's width", S{.height = 6, .width = 9, .in = {24, 0}, .out = 192, .skip = {16, 0}}},
          {"up from a prime size", S{.height = 13, .width = 3, .in = {16, 8}, .out = 24, .up2 = true, .residual = true, .residual_up2 = true}},
          {"down to an odd size", S{.height = 10, .width = 6, .in = {24, 0}, .out = 16, .down2 = true, .residual = true, .residual_down2 = true}},
          {"1x1 of a prime size", S{.height = 19, .width = 7, .in = {72, 0}, .out = 16, .kernel = 1, .padding = 0, .silu = false}},
          {"5x5", S{.height = 8, .width = 8, .in = {32, 0}, .out = 32, .kernel = 5, .padding = 2}},
          {"5x5 of a prime size", S{.height = 17, .width = 13, .in = {24, 0}, .out = 16, .kernel = 5, .padding = 2, .residual = true}},
          {"two squares", S{.height = 32, .width = 16, .in = {64, 0}, .out = 40, .residual = true}},
          {"a square with a long skip", S{.height = 16, .width = 16, .in = {64, 64}, .out = 40, .skip = {64, 128}}},
          {"three bands on a prime map", S{.height = 7, .width = 11, .in = {40, 8}, .out = 320, .residual = true}},
          {"a square doubled", S{.height = 16, .width = 16, .in = {48, 0}, .out = 24, .up2 = true}}};
}

std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  cases.push_back(embed("embed, positional", 32, false, true, false));
  cases.push_back(embed("embed, positional to the end", 34, true, false, false));
  cases.push_back(embed("embed, Fourier", 32, false, false, true));
  cases.push_back(linear("linear", 10, 33, false));
  cases.push_back(linear("linear with everything", 131, 512, true));
  cases.push_back(norm("norm", 32, 0, 8, false));
  cases.push_back(norm("norm over two sources, adaptive", 24, 40, 16, true));
  cases.push_back(attention("attention", 7, 7, 32, 1));
  cases.push_back(attention("attention, two heads", 16, 16, 64, 2));
  cases.push_back(attention("attention, prime sizes", 1, 13, 33, 3));
  cases.push_back(attention("attention, one head of 256", 7, 11, 256, 1));
  cases.push_back(attention("attention, heads of 128", 1, 67, 384, 3));
  cases.push_back(attention("attention, twelve heads of 64", 8, 8, 768, 12));
  cases.push_back(attention("attention, heads of 72", 3, 13, 144, 2));
  cases.push_back(attention("attention, many tokens", 17, 23, 64, 1));
  cases.push_back(attention("attention, scores far apart", 5, 31, 64, 1, 5));
  cases.push_back(resample("down [1,1]", false, {0.5f, 0.5f}, 0, false));
  cases.push_back(resample("up [1,1]", true, {0.5f, 0.5f}, 0, true));
  cases.push_back(resample("down [1,3,3,1]", false, {0.125f, 0.375f, 0.375f, 0.125f}, 1, true));
  cases.push_back(resample("up [1,3,3,1]", true, {0.125f, 0.375f, 0.375f, 0.125f}, 1, false));
  cases.push_back(resample("down [1,3,3,1], wide", false, {0.125f, 0.375f, 0.375f, 0.125f}, 2, false));
  {
    Maker m("add");
    cases.push_back(m.finish(AddOp{m.feature(5, 7, 19), m.feature(5, 7, 19), m.feature(5, 7, 19), 0.5f, m.buffer(38)}, 35));
  }
  cases.push_back(dropout("dropout", 6, 8, 20, true, true));
  cases.push_back(dropout("dropout, ragged", 7, 3, 13, true, true));
  cases.push_back(dropout("dropout of few channels", 5, 5, 3, true, false));
  cases.push_back(dropout("dropout of a gradient", 16, 8, 64, false, false));
  {
    Maker m("statistics");
    cases.push_back(m.finish(StatsOp{m.feature(11, 3, 67), m.buffer(134)}, 33));
  }
  for (const NamedShape& named : conv_shapes()) {
    cases.push_back(convolution(named));
    cases.back().name = "conv, " + named.name;
  }
  return cases;
}

namespace {

// Calls use(first, count) for each feature map's slice of the image.
template <class Use>
void each_feature(const OpCase& c, const Use& use) {
  for (const Buffer& place : c.plan.buffers) {
    if (place.activation) use(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.elements));
  }
}

// The case's image for one of several samples, no two alike.
std::vector<float> sample_image(const OpCase& c, int sample) {
  std::vector<float> image = c.image;
  for (float& v : image) v *= static_cast<float>(kSamples - sample) / kSamples;
  if (c.half) {
    each_feature(c, [&](std::size_t first, std::size_t count) {
      for (std::size_t i = first; i < first + count; ++i) image[i] = to_float(to_bf16(image[i]));
    });
  }
  return image;
}

// The image of a case that learns is its output and its cotangent, too: what came out goes in again.
template <class T>
Cotangent<T> same_again(const OpCase& c) {
  return [count = c.image.size()](std::int64_t, const T* output, T* cotangent) { std::copy_n(output, count, cotangent); };
}

}  // namespace

OpCase in_bf16(OpCase c) {
  c.half = true;
  c.image = sample_image(c, 0);
  return c;
}

void give_case(const OpCase& c, Executor& executor, std::int64_t samples) {
  for (std::size_t w = 0; w < c.weights.size(); ++w) executor.set_weight(static_cast<WeightId>(w), c.weights[w]);
  executor.prepare(samples);
}

std::vector<std::vector<float>> run_rows(const OpCase& c, Executor& executor, const std::vector<int>& samples) {
  const auto n = static_cast<std::int64_t>(samples.size());
  // In the arena a buffer's samples lie one behind the other; the arena is the image.
  std::vector<std::vector<float>> images;
  for (const int sample : samples) images.push_back(sample_image(c, sample));
  std::vector<float> arena(c.image.size() * samples.size());
  const auto each = [&](const auto& numbers, const auto& halves) {
    for (std::size_t b = 1; b < c.plan.buffers.size(); ++b) {
      const Buffer& place = c.plan.buffers[b];
      for (std::int64_t i = 0; i < n; ++i) {
        float* const own = images[static_cast<std::size_t>(i)].data() + place.offset;
        float* const all = arena.data() + place.offset * n;
        if (c.half && place.activation) halves(own, reinterpret_cast<unsigned char*>(all) + 2 * i * place.elements, place.elements);
        else numbers(own, all + i * place.elements, place.elements);
      }
    }
  };
  each([](const float* own, float* all, std::int64_t count) { std::copy_n(own, count, all); },
       [](const float* own, unsigned char* all, std::int64_t count) {
         for (std::int64_t k = 0; k < count; ++k) {
           const Bf16 half = to_bf16(own[k]);
           std::memcpy(all + 2 * k, &half, sizeof half);
         }
       });
  const std::vector<float> image = arena, labels(samples.size(), 0.75f);
  if (c.learnt == kNone) {
    executor.run(n, image.data(), labels.data(), nullptr, arena.data());
  } else {
    executor.run_backward(n, image.data(), labels.data(), nullptr, {}, same_again<float>(c), arena.data());
  }
  each([](float* own, const float* all, std::int64_t count) { std::copy_n(all, count, own); },
       [](float* own, const unsigned char* all, std::int64_t count) {
         for (std::int64_t k = 0; k < count; ++k) {
           Bf16 half{};
           std::memcpy(&half, all + 2 * k, sizeof half);
           own[k] = to_float(half);
         }
       });
  return images;
}

std::vector<std::vector<float>> run_batch(const OpCase& c, Executor& executor, const std::vector<int>& samples) {
  give_case(c, executor, static_cast<std::int64_t>(samples.size()));
  return run_rows(c, executor, samples);
}

std::vector<float> run_case(const OpCase& c, Executor& executor) { return run_batch(c, executor, {0}).front(); }

std::vector<double> run_reference(const OpCase& c) {
  const auto executor = make_reference_executor(c.plan);
  give_case(c, *executor, 1);
  const std::vector<double> image(c.image.begin(), c.image.end());
  std::vector<double> out(image.size());
  const double label = 0.75;
  executor->run(1, image.data(), &label, nullptr, out.data());
  return out;
}

std::vector<double> learnt_by_reference(const OpCase& c, const std::vector<int>& samples) {
  const auto executor = make_reference_executor(c.plan);
  give_case(c, *executor, 1);
  const double label = 0.75;
  for (const int sample : samples) {
    const std::vector<float> shown = sample_image(c, sample);
    const std::vector<double> image(shown.begin(), shown.end());
    executor->run_backward(1, image.data(), &label, nullptr, {}, same_again<double>(c), nullptr);
  }
  return learnt(c, *executor);
}

std::vector<double> learnt(const OpCase& c, const Executor& executor) {
  std::vector<double> values(c.weights[static_cast<std::size_t>(c.learnt)].size());
  executor.gradient(c.learnt, values);
  return values;
}

double relative_error(const std::vector<double>& actual, const std::vector<double>& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(actual[i])) return std::numeric_limits<double>::infinity();
    difference += std::pow(actual[i] - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

double relative_error(const OpCase& c, BufferId buffer, const std::vector<float>& actual, const std::vector<double>& expected) {
  const Buffer& place = c.plan.buffers[static_cast<std::size_t>(buffer)];
  double difference = 0, size = 0;
  for (auto i = static_cast<std::size_t>(place.offset); i < static_cast<std::size_t>(place.offset + place.elements); ++i) {
    if (!std::isfinite(actual[i])) return std::numeric_limits<double>::infinity();
    difference += std::pow(static_cast<double>(actual[i]) - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

double tolerance(const OpCase& c) { return 0x1p-24 * (4 * std::sqrt(static_cast<double>(c.depth)) + 16); }

}  // namespace diffcert::bench
