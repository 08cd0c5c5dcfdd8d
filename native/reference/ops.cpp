// The small ops of the reference device: embeddings, linear layers, norms, attention, sums.
#include "reference/ops.hpp"

#include <cmath>
#include <numbers>

#include "ops/dropout.hpp"

namespace diffcert::reference {

double silu(double v) { return v / (1 + std::exp(-v)); }

double silu_slope(double v) {
  const double gate = 1 / (1 + std::exp(-v));
  return gate * (1 + v * (1 - gate));
}

void statistics(const double* feature, std::int64_t pixels, std::int64_t channels, double* out) {
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (std::int64_t p = 0; p < pixels; ++p) sum += feature[p * channels + c];
    const double mean = sum / static_cast<double>(pixels);
    for (std::int64_t p = 0; p < pixels; ++p) {
      const double d = feature[p * channels + c] - mean;
      squares += d * d;
    }
    out[c] = mean;
    out[channels + c] = squares;
  }
}

std::vector<double> loaded(const Feature& first, const Feature& second, const Load& load, const Place& at) {
  const std::int64_t pixels = std::int64_t{first.height} * first.width;
  const std::int64_t channels = first.channels + (second.present() ? second.channels : 0);
  std::vector<double> out(static_cast<std::size_t>(pixels * channels));
  const double* affine = load.affine == kNone ? nullptr : at.buffer(load.affine);
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t c = 0; c < channels; ++c) {
      double v = c < first.channels ? at.buffer(first.buffer)[p * first.channels + c]
                                    : at.buffer(second.buffer)[p * second.channels + c - first.channels];
      if (affine != nullptr) v = affine[c] * v + affine[channels + c];
      out[static_cast<std::size_t>(p * channels + c)] = load.silu ? silu(v) : v;
    }
  }
  return out;
}

void run(const EmbedOp& op, const Place& at) {
  const double label = *at.buffer(op.noise_label);
  double* out = at.buffer(op.out);
  const int half = op.channels / 2;
  for (int i = 0; i < half; ++i) {
    const double angle = op.freqs == kNone
                             ? label * std::pow(1e4, -static_cast<double>(i) / (half - (op.endpoint ? 1 : 0)))
                             : label * 2 * std::numbers::pi * at.weight(op.freqs)[static_cast<std::size_t>(i)];
    out[op.swap_halves ? half + i : i] = std::cos(angle);
    out[op.swap_halves ? i : half + i] = std::sin(angle);
  }
}

void run(const LinearOp& op, const Place& at) {
  const double* in = at.buffer(op.in);
  const std::vector<double>& weight = at.weight(op.weight);
  std::vector<double> result(static_cast<std::size_t>(op.out_features));
  for (std::int32_t o = 0; o < op.out_features; ++o) {
    double sum = 0;
    for (std::int32_t i = 0; i < op.in_features; ++i) {
      const std::int64_t place = op.transposed ? std::int64_t{i} * op.out_features + o : std::int64_t{o} * op.in_features + i;
      sum += weight[static_cast<std::size_t>(place)] * (op.in_scale * in[i]);
    }
    if (op.bias != kNone) sum += at.weight(op.bias)[static_cast<std::size_t>(o)];
    if (op.addend != kNone) sum += at.buffer(op.addend)[o];
    result[static_cast<std::size_t>(o)] = op.silu ? silu(sum) : sum;
  }
  std::copy(result.begin(), result.end(), at.buffer(op.out));
}

void run(const StatsOp& op, const Place& at) {
  statistics(at.buffer(op.in.buffer), std::int64_t{op.in.height} * op.in.width, op.in.channels, at.buffer(op.out));
}

void run(const NormOp& op, const Place& at) {
  const std::int32_t channels = op.channels[0] + op.channels[1];
  const std::int32_t size = channels / op.groups;
  const double pixels = op.pixels;
  double* out = at.buffer(op.out);
  const auto statistic = [&](std::int32_t c, bool squares) {
    const int s = c < op.channels[0] ? 0 : 1;
    const std::int32_t own = s == 0 ? c : c - op.channels[0];
    return at.buffer(op.stats[s])[squares ? op.channels[s] + own : own];
  };
  for (std::int32_t g = 0; g < op.groups; ++g) {
    double mean = 0, squares = 0;
    for (std::int32_t c = g * size; c < (g + 1) * size; ++c) mean += statistic(c, false) / size;
    for (std::int32_t c = g * size; c < (g + 1) * size; ++c) {
      const double d = statistic(c, false) - mean;
      squares += statistic(c, true) + pixels * d * d;
    }
    const double rstd = 1 / std::sqrt(squares / (pixels * size) + op.eps);
    for (std::int32_t c = g * size; c < (g + 1) * size; ++c) {
      double a = at.weight(op.gamma)[static_cast<std::size_t>(c)] * rstd;
      double b = at.weight(op.beta)[static_cast<std::size_t>(c)] - mean * a;
      if (op.adaptive != kNone) {
        const double scale = 1 + at.buffer(op.adaptive)[c];
        a *= scale;
        b = b * scale + at.buffer(op.adaptive)[channels + c];
      }
      out[c] = a;
      out[channels + c] = b;
    }
  }
}

void run(const AttentionOp& op, const Place& at) {
  const std::int64_t tokens = std::int64_t{op.in.height} * op.in.width, channels = op.out.channels, size = channels / op.heads;
  const double* in = at.buffer(op.in.buffer);
  double* out = at.buffer(op.out.buffer);
  std::vector<double> weights(static_cast<std::size_t>(tokens));
  for (std::int64_t head = 0; head < op.heads; ++head) {
    for (std::int64_t i = 0; i < tokens; ++i) {
      const double* q = in + i * 3 * channels + head * size;
      double largest = -INFINITY, sum = 0;
      for (std::int64_t j = 0; j < tokens; ++j) {
        const double* k = in + j * 3 * channels + channels + head * size;
        double dot = 0;
        for (std::int64_t c = 0; c < size; ++c) dot += q[c] * k[c];
        weights[static_cast<std::size_t>(j)] = dot / std::sqrt(static_cast<double>(size));
        largest = std::fmax(largest, weights[static_cast<std::size_t>(j)]);
      }
      for (double& w : weights) sum += w = std::exp(w - largest);
      for (std::int64_t c = 0; c < size; ++c) {
        double v = 0;
        for (std::int64_t j = 0; j < tokens; ++j) {
          v += weights[static_cast<std::size_t>(j)] / sum * in[j * 3 * channels + 2 * channels + head * size + c];
        }
        out[i * channels + head * size + c] = v;
      }
    }
  }
}

void run(const AddOp& op, const Place& at) {
  const double *a = at.buffer(op.a.buffer), *b = at.buffer(op.b.buffer);
  double* out = at.buffer(op.out.buffer);
  for (std::int64_t i = 0; i < elements(op.out); ++i) out[i] = static_cast<double>(op.scale) * (a[i] + b[i]);
  if (op.stats != kNone) statistics(out, std::int64_t{op.out.height} * op.out.width, op.out.channels, at.buffer(op.stats));
}

void run(const DropoutOp& op, const Place& at) {
  const NoiseKey key = key_of_chance(at.buffer(op.chance));
  const std::vector<double> in = loaded(op.in, {}, op.load, at);
  double* out = at.buffer(op.out.buffer);
  for (std::int64_t e = 0; e < elements(op.out); ++e) {
    const bool dropped = dropout_draw(key, op.layer, e) < op.rate;
    out[e] = dropped ? 0 : in[static_cast<std::size_t>(e)] * kDropoutWhole / (kDropoutWhole - op.rate);
  }
}

}  // namespace diffcert::reference
