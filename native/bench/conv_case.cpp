#include "bench/conv_case.hpp"

#include <cmath>

namespace diffcert::bench {
namespace {

std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

}  // namespace

double ConvShape::flops() const {
  const double pixels = static_cast<double>(out_height()) * out_width();
  return 2.0 * pixels * out * (static_cast<double>(kernel) * kernel * (in[0] + in[1]) + skip[0] + skip[1]);
}

std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = mix(mix(seed * 0x9e3779b9u + 1u) + static_cast<std::uint32_t>(i));
    values[static_cast<std::size_t>(i)] = static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31f;
  }
  return values;
}

ConvCase::ConvCase(const ConvShape& s) : shape(s) {
  std::int64_t end = 0;
  const auto buffer = [&](std::int64_t elements) {
    plan.buffers.push_back({elements, end, false, end});
    end += (elements + 15) / 16 * 16;
    return static_cast<BufferId>(plan.buffers.size() - 1);
  };
  const auto feature = [&](std::int32_t height, std::int32_t width, std::int32_t channels) {
    if (channels == 0) return Feature{};
    const Feature f{buffer(std::int64_t{1} * height * width * channels), height, width, channels};
    plan.buffers.back().activation = true;
    return f;
  };
  const auto weight = [&](std::vector<std::int64_t> dims) {
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    plan.weights.push_back({std::string("w").append(std::to_string(plan.weights.size())), dims});
    auto values = random_floats(count, 100 + static_cast<std::uint32_t>(weights.size()));
    const float bound = dims.size() > 1 ? static_cast<float>(1.0 / std::sqrt(static_cast<double>(count / dims[0]))) : 0.5f;
    for (float& v : values) v *= bound;
    weights.push_back(std::move(values));
    return static_cast<WeightId>(weights.size() - 1);
  };
  const BufferId image_buffer = buffer(0);
  const std::int32_t channels = s.in[0] + s.in[1], high = s.out_height(), wide = s.out_width();
  for (int i = 0; i < 2; ++i) {
    op.src[i] = feature(s.height, s.width, s.in[i]);
    op.skip[i] = feature(high, wide, s.skip[i]);
  }
  if (s.affine) op.load.affine = buffer(2 * channels);
  op.load.silu = s.silu;
  op.kernel = s.kernel;
  op.padding = s.padding;
  op.up2 = s.up2;
  op.down2 = s.down2;
  op.weight = weight({s.out, channels, s.kernel, s.kernel});
  op.bias = weight({s.out});
  if (s.skip[0] > 0) {
    op.skip_weight = weight({s.out, s.skip[0] + s.skip[1], 1, 1});
    op.skip_bias = weight({s.out});
  }
  if (s.shift) op.shift = buffer(s.out);
  if (s.residual) {
    const std::int32_t h = s.residual_up2 ? high / 2 : s.residual_down2 ? high * 2 : high;
    const std::int32_t w = s.residual_up2 ? wide / 2 : s.residual_down2 ? wide * 2 : wide;
    op.residual = feature(h, w, s.out - s.residual_tail);
    op.residual_tail = feature(h, w, s.residual_tail);
    op.residual_up2 = s.residual_up2;
    op.residual_down2 = s.residual_down2;
  }
  op.scale = s.scale;
  op.out = feature(high, wide, s.out);
  if (s.stats) op.stats = buffer(2 * s.out);
  plan.noise_label = buffer(1);
  plan.buffers[static_cast<std::size_t>(image_buffer)].elements = end;
  plan.image = {image_buffer, 1, 1, static_cast<std::int32_t>(end)};
  plan.output = plan.image;  // with a batch of one, what the op wrote is read back as a slice
  plan.arena_elements = plan.half_arena_elements = end;
  plan.ops.push_back(op);
  image_elements = end;
  image = random_floats(end, 7);
}

void ConvCase::give_weights(Executor& executor) const {
  for (std::size_t w = 0; w < weights.size(); ++w) executor.set_weight(static_cast<WeightId>(w), weights[w]);
}

std::span<const float> ConvCase::slice(BufferId b) const {
  const Buffer& place = plan.buffers[static_cast<std::size_t>(b)];
  return std::span(image).subspan(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.elements));
}

std::vector<double> ConvCase::expected() const {
  const std::int32_t channels = shape.in[0] + shape.in[1], high = shape.out_height(), wide = shape.out_width();
  const auto loaded = [&](std::int64_t y, std::int64_t x, std::int64_t c) {
    const int s = c < shape.in[0] ? 0 : 1;
    double v = slice(op.src[s].buffer)[static_cast<std::size_t>((y * shape.width + x) * shape.in[s] + c - (s ? shape.in[0] : 0))];
    if (shape.affine) {
      const auto affine = slice(op.load.affine);
      v = affine[static_cast<std::size_t>(c)] * v + affine[static_cast<std::size_t>(channels + c)];
    }
    return shape.silu ? v / (1.0 + std::exp(-v)) : v;
  };
  // The map as the kernel sees it, resampled, once.
  const std::int64_t rows = shape.up2 ? shape.height * 2 : shape.down2 ? shape.height / 2 : shape.height;
  const std::int64_t columns = shape.up2 ? shape.width * 2 : shape.down2 ? shape.width / 2 : shape.width;
  std::vector<double> map(static_cast<std::size_t>(rows * columns * channels));
  for (std::int64_t y = 0, at = 0; y < rows; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      for (std::int64_t c = 0; c < channels; ++c, ++at) {
        double v = 0;
        if (shape.up2) {
          v = loaded(y / 2, x / 2, c);
        } else if (shape.down2) {
          for (int i = 0; i < 4; ++i) v += 0.25 * loaded(2 * y + i / 2, 2 * x + i % 2, c);
        } else {
          v = loaded(y, x, c);
        }
        map[static_cast<std::size_t>(at)] = v;
      }
    }
  }
  const auto residual = [&](std::int64_t y, std::int64_t x, std::int64_t n) {
    const Feature& part = n < op.residual.channels ? op.residual : op.residual_tail;
    const std::int64_t c = n < op.residual.channels ? n : n - op.residual.channels;
    const auto at = [&](std::int64_t py, std::int64_t px) {
      return static_cast<double>(slice(part.buffer)[static_cast<std::size_t>((py * part.width + px) * part.channels + c)]);
    };
    if (shape.residual_up2) return at(y / 2, x / 2);
    if (!shape.residual_down2) return at(y, x);
    return 0.25 * (at(2 * y, 2 * x) + at(2 * y, 2 * x + 1) + at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1));
  };
  std::vector<double> out;
  for (std::int64_t y = 0; y < high; ++y) {
    for (std::int64_t x = 0; x < wide; ++x) {
      for (std::int64_t n = 0; n < shape.out; ++n) {
        const float* w = weights[static_cast<std::size_t>(op.weight)].data() + n * channels * shape.kernel * shape.kernel;
        double sum = weights[static_cast<std::size_t>(op.bias)][static_cast<std::size_t>(n)];
        for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
          for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
            const std::int64_t py = y + ky - shape.padding, px = x + kx - shape.padding;
            if (py < 0 || py >= rows || px < 0 || px >= columns) continue;
            const double* in = map.data() + (py * columns + px) * channels;
            for (std::int64_t c = 0; c < channels; ++c) sum += in[c] * w[(c * shape.kernel + ky) * shape.kernel + kx];
          }
        }
        std::int64_t first = 0;
        for (int s = 0; s < 2 && shape.skip[s] > 0; first += shape.skip[s], ++s) {
          const auto in = slice(op.skip[s].buffer).subspan(static_cast<std::size_t>((y * wide + x) * shape.skip[s]));
          const float* row = weights[static_cast<std::size_t>(op.skip_weight)].data() + n * (shape.skip[0] + shape.skip[1]) + first;
          for (std::int64_t c = 0; c < shape.skip[s]; ++c) sum += static_cast<double>(in[static_cast<std::size_t>(c)]) * row[c];
        }
        if (shape.skip[0] > 0) sum += weights[static_cast<std::size_t>(op.skip_bias)][static_cast<std::size_t>(n)];
        if (shape.shift) sum += slice(op.shift)[static_cast<std::size_t>(n)];
        if (shape.residual) sum += residual(y, x, n);
        out.push_back(static_cast<double>(shape.scale) * sum);
      }
    }
  }
  return out;
}

}  // namespace diffcert::bench
