// Building a plan: layers by their published names, into ops over numbered buffers.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ops/ops.hpp"
#include "unet/config.hpp"

namespace diffcert {

// The plan of a network, buffers placed. Throws DC_BAD_ARGUMENT where the options do not make a network.
Plan plan_network(const NetworkConfig& config, const TrainingForm& form = {});

// Gives each buffer its place: buffers that are alive at the same op never overlap (unet/buffers.cpp). given: filled before the first op, as the
// plan's inputs are; kept: read after the last, as its output is.
void place_buffers(Plan& plan, std::span<const BufferId> given = {}, std::span<const BufferId> kept = {});

// The buffers that an op reads and writes.
struct Operands {
  std::vector<BufferId> reads, writes;
};
Operands operands(const Op& op);
// The op with each of its buffers replaced by another.
void redirect(Op& op, const std::function<BufferId(BufferId)>& to);

// A feature map with its per-channel statistics (kNone where nobody asked for them).
struct Value {
  Feature feature;
  BufferId stats = kNone;
};

// What all residual blocks of a network share: the constants of the published constructors.
struct BlockOptions {
  BufferId embedding = kNone;
  std::int32_t embedding_features = 0;
  std::vector<std::int32_t> resample_filter;
  bool adaptive = false, resample_projection = false;
  std::int32_t heads = 1, channels_per_head = 0;  // channels_per_head > 0 decides
  double eps = 1e-5;
  float skip_scale = 1;
};

class Planner {
 public:
  Planner(const NetworkConfig& config, const TrainingForm& form);
  const NetworkConfig& config() const { return config_; }

  BufferId buffer(std::int64_t elements);
  WeightId weight(const std::string& name, std::vector<std::int64_t> shape, RowOrder rows = RowOrder::natural, std::int32_t heads = 1);
  void computed_weight(const std::string& name, std::vector<std::int64_t> shape);
  Value image() const { return {plan_.image, kNone}; }
  BufferId noise_label() const { return plan_.noise_label; }
  BufferId label() const { return plan_.label; }

  BufferId embed(std::int32_t channels, bool endpoint, bool swap_halves, WeightId freqs);
  BufferId linear(const std::string& name, BufferId in, std::int32_t in_features, std::int32_t out_features, bool bias, bool silu,
                  BufferId addend = kNone, float in_scale = 1);
  // map_augment of the labels, added to `sum`; without labels, which equals zeros, the weight is held but not used.
  BufferId augmented(std::int32_t channels, BufferId sum);
  // conv(x) of one source, kernel 1 or 3, with statistics.
  Value conv(const std::string& name, const Value& in, std::int32_t channels, std::int32_t kernel, const Load& load = {},
             const Value* residual = nullptr);
  // A 3x3 convolution and the filtered halving after it (fused resampling of the published layer).
  Value conv_down(const std::string& name, const Value& in, std::int32_t channels, const std::vector<std::int32_t>& filter);
  // Resampling without weights; name holds the filter.
  Value resample(const std::string& name, const Value& in, bool up, const std::vector<std::int32_t>& filter, const Load& load = {},
                 bool statistics = true);
  Value add(const Value& a, const Value& b, float scale);
  // GroupNorm over one or two sources, as a load.
  Load norm(const std::string& name, const std::vector<Value>& in, double eps, bool silu, BufferId adaptive = kNone);

  enum class Scale { keep, up, down };
  // The published residual block; two inputs are a concatenation.
  Value block(const std::string& name, const std::vector<Value>& in, std::int32_t channels, Scale scale, bool attention,
              const BlockOptions& options);

  Plan finish(const Value& output);

 private:
  Value output_of(std::int32_t height, std::int32_t width, std::int32_t channels, bool statistics);
  void shortcut(const std::string& name, const std::vector<Value>& in, std::int32_t channels, Scale scale, const BlockOptions& options,
                ConvOp& second);
  // load(in) with some of its elements dropped.
  Feature drop(const Feature& in, const Load& load);
  Value attend(const std::string& name, const Value& in, std::int32_t heads, const BlockOptions& options);
  ConvOp layer(const std::string& name, std::int32_t in, std::int32_t out, std::int32_t kernel);

  NetworkConfig config_;
  TrainingForm form_;
  Plan plan_;
  std::int32_t dropouts_ = 0;
};

// The two published networks; both give the plan's output.
Value build_song_unet(Planner& planner);
Value build_dhariwal_unet(Planner& planner);

}  // namespace diffcert
