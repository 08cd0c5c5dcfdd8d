// The backward ops of the reference device, each from its definition in ops/ops.hpp.
#include <cmath>

#include "reference/ops.hpp"

namespace diffcert::reference {
namespace {

// What an element of the source meets: dz, and the source's value (0 without one).
struct Pulled {
  double dz, value;
};

Pulled pulled(const LoadGradient& in, std::int64_t width, std::int64_t p, std::int64_t c, const Place& at) {
  const double* gradient = at.buffer(in.gradient.buffer);
  const auto from = [&](std::int64_t y, std::int64_t x) {
    return gradient[(y * in.gradient.width + x) * in.gradient.channels + in.first + c];
  };
  const std::int64_t y = p / width, x = p % width;
  double dz = static_cast<double>(in.scale);
  if (in.up2) {
    dz *= from(2 * y, 2 * x) + from(2 * y, 2 * x + 1) + from(2 * y + 1, 2 * x) + from(2 * y + 1, 2 * x + 1);
  } else if (in.down2) {
    dz *= from(y / 2, x / 2) / 4;
  } else {
    dz *= from(y, x);
  }
  if (!in.source.present()) return {dz, 0};
  const double value = at.buffer(in.source.buffer)[p * in.source.channels + c];
  if (!in.load.silu) return {dz, value};
  double z = value;
  if (in.load.affine != kNone) {
    const double* affine = at.buffer(in.load.affine) + in.first + c;
    z = affine[0] * value + affine[in.gradient.channels];
  }
  return {dz * silu_slope(z), value};
}

}  // namespace

void run(const LoadSumsOp& op, const Place& at) {
  const Feature& source = op.in.source;
  const double* mean = at.buffer(op.stats);
  double* out = at.buffer(op.out) + op.in.first;
  for (std::int64_t c = 0; c < source.channels; ++c) {
    double centred = 0, plain = 0;
    for (std::int64_t p = 0; p < std::int64_t{source.height} * source.width; ++p) {
      const auto [dz, value] = pulled(op.in, source.width, p, c, at);
      centred += dz * (value - mean[c]);
      plain += dz;
    }
    out[c] = centred;
    out[op.in.gradient.channels + c] = plain;
  }
}

void run(const NormBackwardOp& op, const Place& at) {
  const NormOp& norm = op.norm;
  const std::int32_t channels = norm.channels[0] + norm.channels[1], size = channels / norm.groups;
  const double pixels = norm.pixels, count = pixels * size;
  const double* sums = at.buffer(op.sums);
  double* slopes = at.buffer(op.slopes);
  const auto statistic = [&](std::int32_t c, bool squares) {
    const int s = c < norm.channels[0] ? 0 : 1;
    const std::int32_t own = s == 0 ? c : c - norm.channels[0];
    return at.buffer(norm.stats[s])[squares ? norm.channels[s] + own : own];
  };
  for (std::int32_t first = 0; first < channels; first += size) {
    double mean = 0, squares = 0;
    for (std::int32_t c = first; c < first + size; ++c) mean += statistic(c, false) / size;
    for (std::int32_t c = first; c < first + size; ++c) {
      const double d = statistic(c, false) - mean;
      squares += statistic(c, true) + pixels * d * d;
    }
    const double rstd = 1 / std::sqrt(squares / count + norm.eps);
    // The affine before the adaptive part is A v + B with A = gamma rstd, B = beta - mean A.
    double d_rstd = 0, d_mean = 0;
    for (std::int32_t c = first; c < first + size; ++c) {
      const double gamma = at.weight(norm.gamma)[static_cast<std::size_t>(c)], beta = at.weight(norm.beta)[static_cast<std::size_t>(c)];
      const double centred = sums[c] + (statistic(c, false) - mean) * sums[channels + c];  // sum of dz (v - mean of the group)
      const double plain = sums[channels + c];
      double slope = 1;
      if (norm.adaptive != kNone) {
        slope += at.buffer(norm.adaptive)[c];
        if (op.adaptive != kNone) {
          at.buffer(op.adaptive)[c] = gamma * rstd * centred + beta * plain;
          at.buffer(op.adaptive)[channels + c] = plain;
        }
      }
      if (op.affine != kNone) {
        at.buffer(op.affine)[c] = slope * rstd * centred;
        at.buffer(op.affine)[channels + c] = slope * plain;
      }
      d_rstd += slope * gamma * centred;
      d_mean -= slope * gamma * rstd * plain;
    }
    const double slope = -rstd * rstd * rstd * d_rstd / count;
    for (std::int32_t c = first; c < first + size; ++c) {
      slopes[c] = slope;
      slopes[channels + c] = d_mean / count - slope * mean;
    }
  }
}

void run(const PullbackOp& op, const Place& at) {
  double* out = at.buffer(op.out.buffer);
  const std::int64_t all = op.in.gradient.channels;
  const double* affine = op.in.load.affine == kNone ? nullptr : at.buffer(op.in.load.affine) + op.in.first;
  const double* slopes = op.slopes == kNone ? nullptr : at.buffer(op.slopes) + op.in.first;
  for (std::int64_t p = 0; p < std::int64_t{op.out.height} * op.out.width; ++p) {
    for (std::int64_t c = 0; c < op.out.channels; ++c) {
      const auto [dz, value] = pulled(op.in, op.out.width, p, c, at);
      double v = affine != nullptr ? affine[c] * dz : dz;
      if (slopes != nullptr) v += slopes[c] * value + slopes[all + c];
      double& place = out[p * op.out.channels + c];
      place = op.accumulate ? place + v : v;
    }
  }
}

void run(const AttentionBackwardOp& op, const Place& at) {
  const std::int64_t tokens = std::int64_t{op.in.height} * op.in.width, channels = op.gradient.channels, size = channels / op.heads;
  const double *in = at.buffer(op.in.buffer), *gradient = at.buffer(op.gradient.buffer);
  double* out = at.buffer(op.out.buffer);
  std::fill_n(out, tokens * 3 * channels, 0.0);
  const double scale = 1 / std::sqrt(static_cast<double>(size));
  std::vector<double> weights(static_cast<std::size_t>(tokens)), slopes(static_cast<std::size_t>(tokens));
  for (std::int64_t head = 0; head < op.heads; ++head) {
    const auto row = [&](std::int64_t token, std::int64_t part) { return token * 3 * channels + part * channels + head * size; };
    for (std::int64_t i = 0; i < tokens; ++i) {
      double largest = -INFINITY, sum = 0, mean = 0;
      for (std::int64_t j = 0; j < tokens; ++j) {
        double dot = 0;
        for (std::int64_t c = 0; c < size; ++c) dot += in[row(i, 0) + c] * in[row(j, 1) + c];
        weights[static_cast<std::size_t>(j)] = dot * scale;
        largest = std::fmax(largest, dot * scale);
      }
      for (double& w : weights) sum += w = std::exp(w - largest);
      for (std::int64_t j = 0; j < tokens; ++j) {
        double dot = 0;
        for (std::int64_t c = 0; c < size; ++c) dot += gradient[i * channels + head * size + c] * in[row(j, 2) + c];
        weights[static_cast<std::size_t>(j)] /= sum;
        slopes[static_cast<std::size_t>(j)] = dot;
        mean += weights[static_cast<std::size_t>(j)] * dot;
      }
      for (std::int64_t j = 0; j < tokens; ++j) {
        const double weight = weights[static_cast<std::size_t>(j)];
        const double score = weight * (slopes[static_cast<std::size_t>(j)] - mean) * scale;
        for (std::int64_t c = 0; c < size; ++c) {
          out[row(i, 0) + c] += score * in[row(j, 1) + c];
          out[row(j, 1) + c] += score * in[row(i, 0) + c];
          out[row(j, 2) + c] += weight * gradient[i * channels + head * size + c];
        }
      }
    }
  }
}

void run(const SiluBackwardOp& op, const Place& at) {
  const double *in = at.buffer(op.in), *gradient = at.buffer(op.gradient);
  double* out = at.buffer(op.out);
  for (std::int32_t i = 0; i < op.elements; ++i) out[i] = gradient[i] * silu_slope(in[i]);
}

void run(const ChannelSumOp& op, const Place& at) {
  const double* in = at.buffer(op.in.buffer);
  double* out = at.buffer(op.out);
  for (std::int64_t c = 0; c < op.in.channels; ++c) {
    double sum = 0;
    for (std::int64_t p = 0; p < std::int64_t{op.in.height} * op.in.width; ++p) sum += in[p * op.in.channels + c];
    out[c] = static_cast<double>(op.scale) * sum;
  }
}

void run(const ConvGradientOp& op, const Place& at) {
  const Map in = map(op.src[0], op.src[1], op.load, op.up2, op.down2, at);
  const double* gradient = at.buffer(op.gradient.buffer);
  double* out = at.gradient(op.weight);
  const std::int64_t k = op.kernel, channels = op.gradient.channels;
  std::vector<double> sums(static_cast<std::size_t>(channels * in.channels));
  for (std::int64_t ky = 0; ky < k; ++ky) {
    for (std::int64_t kx = 0; kx < k; ++kx) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::int64_t y = 0; y < op.gradient.height; ++y) {
        for (std::int64_t x = 0; x < op.gradient.width; ++x) {
          const std::int64_t iy = y + ky - op.padding, ix = x + kx - op.padding;
          if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width) continue;
          const double* values = in.values.data() + (iy * in.width + ix) * in.channels;
          for (std::int64_t o = 0; o < channels; ++o) {
            const double g = gradient[(y * op.gradient.width + x) * channels + o];
            for (std::int64_t c = 0; c < in.channels; ++c) sums[static_cast<std::size_t>(o * in.channels + c)] += g * values[c];
          }
        }
      }
      for (std::int64_t i = 0; i < channels * in.channels; ++i) {
        out[(i * k + ky) * k + kx] += static_cast<double>(op.scale) * sums[static_cast<std::size_t>(i)];
      }
    }
  }
}

void run(const LinearGradientOp& op, const Place& at) {
  const double *in = at.buffer(op.in), *gradient = at.buffer(op.gradient);
  double* out = at.gradient(op.weight);
  for (std::int64_t o = 0; o < op.out_features; ++o) {
    for (std::int64_t i = 0; i < op.in_features; ++i) out[o * op.in_features + i] += gradient[o] * (op.in_scale * in[i]);
  }
}

void run(const AccumulateOp& op, const Place& at) {
  const double* in = at.buffer(op.in) + op.first;
  double* out = at.gradient(op.weight);
  for (std::int32_t i = 0; i < op.elements; ++i) out[i] += in[i];
}

}  // namespace diffcert::reference
