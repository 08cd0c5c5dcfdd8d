// The op table in float64, one sample at a time, slow and obvious: what every other device is measured against.
//
// Each function follows the definition of its op in ops/ops.hpp word for word: loops over the output, sums over the input in
// (row, column, channel) order. Nothing is packed, fused or split; the only liberty is the compiler's.
#pragma once

#include <functional>
#include <vector>

#include "ops/ops.hpp"

namespace diffcert::reference {

// The place of a buffer of the sample that is run, a weight's values, and where the sample's gradient of it adds up.
struct Place {
  std::function<double*(BufferId)> buffer;
  std::function<const std::vector<double>&(WeightId)> weight;
  std::function<double*(WeightId)> gradient;
};

void run(const EmbedOp& op, const Place& at);
void run(const LinearOp& op, const Place& at);
void run(const StatsOp& op, const Place& at);
void run(const NormOp& op, const Place& at);
void run(const ConvOp& op, const Place& at);
void run(const ResampleOp& op, const Place& at);
void run(const AttentionOp& op, const Place& at);
void run(const AddOp& op, const Place& at);
void run(const DropoutOp& op, const Place& at);
void run(const LoadSumsOp& op, const Place& at);
void run(const NormBackwardOp& op, const Place& at);
void run(const PullbackOp& op, const Place& at);
void run(const AttentionBackwardOp& op, const Place& at);
void run(const SiluBackwardOp& op, const Place& at);
void run(const ChannelSumOp& op, const Place& at);
void run(const ConvGradientOp& op, const Place& at);
void run(const LinearGradientOp& op, const Place& at);
void run(const AccumulateOp& op, const Place& at);

inline std::int64_t elements(const Feature& f) { return std::int64_t{f.height} * f.width * f.channels; }
double silu(double v);
double silu_slope(double v);
// mean [C], then the sum of squared deviations [C].
void statistics(const double* feature, std::int64_t pixels, std::int64_t channels, double* out);
// The concatenation of one or two features, with the load applied: [H, W, C0 + C1].
std::vector<double> loaded(const Feature& first, const Feature& second, const Load& load, const Place& at);

// A feature map with zeros around.
struct Map {
  std::vector<double> values;
  std::int64_t height, width, channels;
  double at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return y < 0 || x < 0 || y >= height || x >= width ? 0.0 : values[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};
// The concatenation loaded, then resampled.
Map map(const Feature& first, const Feature& second, const Load& load, bool up2, bool down2, const Place& at);

}  // namespace diffcert::reference
