// Layers of the published networks (EDM, training/networks.py) as ops.
#include "unet/planner.hpp"

#include <algorithm>

#include "core/status.hpp"
#include "ops/dropout.hpp"

namespace diffcert {
namespace {

std::int32_t width_of(const std::vector<Value>& values) {
  std::int32_t channels = 0;
  for (const Value& value : values) channels += value.feature.channels;
  return channels;
}

std::vector<float> taps(const std::vector<std::int32_t>& filter) {
  double sum = 0;
  for (const std::int32_t tap : filter) sum += tap;
  std::vector<float> normalised;
  for (const std::int32_t tap : filter) normalised.push_back(static_cast<float>(tap / sum));
  return normalised;
}

// The filter whose resampling the convolution does itself: nearest up, 2x2 mean down.
bool is_box(const std::vector<std::int32_t>& filter) { return filter.size() == 2 && filter[0] == filter[1]; }

}  // namespace

Planner::Planner(const NetworkConfig& config, const TrainingForm& form) : config_(config), form_(form) {
  const std::int32_t side = config.img_resolution;
  plan_.image = {buffer(config.image_elements()), side, side, config.img_channels};
  plan_.noise_label = buffer(1);
  plan_.label_dim = config.label_dim;
  plan_.heads = config.heads;
  if (config.label_dim > 0) plan_.label = buffer(config.label_dim);
  if (form.augment && config.augment_dim > 0) {
    plan_.augment_dim = config.augment_dim;
    plan_.augment = buffer(config.augment_dim);
  }
  if (form.dropout > 0) plan_.chance = buffer(kChanceParts);
}

BufferId Planner::buffer(std::int64_t elements) {
  plan_.buffers.push_back({elements, 0});
  return static_cast<BufferId>(plan_.buffers.size() - 1);
}

WeightId Planner::weight(const std::string& name, std::vector<std::int64_t> shape, RowOrder rows, std::int32_t heads) {
  plan_.weights.push_back({name, std::move(shape), rows, heads, false});
  return static_cast<WeightId>(plan_.weights.size() - 1);
}

void Planner::computed_weight(const std::string& name, std::vector<std::int64_t> shape) {
  plan_.weights.push_back({name, std::move(shape), RowOrder::natural, 1, true});
}

Value Planner::output_of(std::int32_t height, std::int32_t width, std::int32_t channels, bool statistics) {
  Value value{{buffer(std::int64_t{height} * width * channels), height, width, channels}, kNone};
  plan_.buffers.back().activation = true;
  if (statistics) value.stats = buffer(2 * std::int64_t{channels});
  return value;
}

BufferId Planner::embed(std::int32_t channels, bool endpoint, bool swap_halves, WeightId freqs) {
  EmbedOp op{plan_.noise_label, buffer(channels), channels, endpoint, swap_halves, freqs};
  plan_.ops.emplace_back(op);
  return op.out;
}

BufferId Planner::linear(const std::string& name, BufferId in, std::int32_t in_features, std::int32_t out_features, bool bias, bool silu,
                         BufferId addend, float in_scale) {
  LinearOp op;
  op.in = in;
  op.out = buffer(out_features);
  op.in_features = in_features;
  op.out_features = out_features;
  op.weight = weight(name + ".weight", {out_features, in_features});
  if (bias) op.bias = weight(name + ".bias", {out_features});
  op.addend = addend;
  op.in_scale = in_scale;
  op.silu = silu;
  plan_.ops.emplace_back(op);
  return op.out;
}

BufferId Planner::augmented(std::int32_t channels, BufferId sum) {
  const std::string name = "model.map_augment";
  if (plan_.augment != kNone) return linear(name, plan_.augment, config_.augment_dim, channels, false, false, sum);
  if (config_.augment_dim > 0) weight(name + ".weight", {channels, config_.augment_dim});
  return sum;
}

ConvOp Planner::layer(const std::string& name, std::int32_t in, std::int32_t out, std::int32_t kernel) {
  ConvOp op;
  op.kernel = kernel;
  op.padding = kernel / 2;
  op.weight = weight(name + ".weight", {out, in, kernel, kernel});
  op.bias = weight(name + ".bias", {out});
  return op;
}

Value Planner::conv(const std::string& name, const Value& in, std::int32_t channels, std::int32_t kernel, const Load& load,
                    const Value* residual) {
  const Value out = output_of(in.feature.height, in.feature.width, channels, true);
  ConvOp op = layer(name, in.feature.channels, channels, kernel);
  op.src[0] = in.feature;
  op.load = load;
  if (residual != nullptr) op.residual = residual->feature;
  op.out = out.feature;
  op.stats = out.stats;
  plan_.ops.emplace_back(op);
  return out;
}

Value Planner::conv_down(const std::string& name, const Value& in, std::int32_t channels, const std::vector<std::int32_t>& filter) {
  const auto size = static_cast<std::int32_t>(filter.size());
  const std::int32_t border = (size - 1) / 2;
  const std::int32_t height = in.feature.height + 2 * border, width = in.feature.width + 2 * border;
  const Value wide = output_of(height, width, channels, false);
  // The published layer adds the bias after the filter; the taps sum to 1 and meet no padding, so before is the same.
  ConvOp op = layer(name, in.feature.channels, channels, 3);
  op.src[0] = in.feature;
  op.padding = 1 + border;
  op.out = wide.feature;
  plan_.ops.emplace_back(op);
  computed_weight(name + ".resample_filter", {1, 1, size, size});
  const Value out = output_of((height - size) / 2 + 1, (width - size) / 2 + 1, channels, false);
  plan_.ops.emplace_back(ResampleOp{wide.feature, out.feature, {}, false, 0, taps(filter), kNone});
  return out;
}

Value Planner::resample(const std::string& name, const Value& in, bool up, const std::vector<std::int32_t>& filter, const Load& load,
                        bool statistics) {
  const auto size = static_cast<std::int32_t>(filter.size());
  const std::int32_t padding = (size - 1) / 2;
  const auto extent = [&](std::int32_t n) { return up ? 2 * (n - 1) + size - 2 * padding : (n + 2 * padding - size) / 2 + 1; };
  if (!name.empty()) computed_weight(name + ".resample_filter", {1, 1, size, size});
  const Value out = output_of(extent(in.feature.height), extent(in.feature.width), in.feature.channels, statistics);
  plan_.ops.emplace_back(ResampleOp{in.feature, out.feature, load, up, padding, taps(filter), out.stats});
  return out;
}

Value Planner::add(const Value& a, const Value& b, float scale) {
  const Value out = output_of(a.feature.height, a.feature.width, a.feature.channels, true);
  plan_.ops.emplace_back(AddOp{a.feature, b.feature, out.feature, scale, out.stats});
  return out;
}

Load Planner::norm(const std::string& name, const std::vector<Value>& in, double eps, bool silu, BufferId adaptive) {
  NormOp op;
  const std::int32_t channels = width_of(in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    invariant(in[i].stats != kNone, "a norm of a feature without statistics");
    op.stats[i] = in[i].stats;
    op.channels[i] = in[i].feature.channels;
  }
  op.pixels = in[0].feature.height * in[0].feature.width;
  op.groups = std::min(32, channels / 4);
  if (op.groups < 1 || channels % op.groups != 0) {
    throw Error(DC_BAD_ARGUMENT, "The network has a layer of " + std::to_string(channels) + " channels, which GroupNorm cannot split into " +
                                     std::to_string(op.groups) + " groups; choose other model_channels or channel_mult.");
  }
  op.eps = eps;
  op.gamma = weight(name + ".weight", {channels});
  op.beta = weight(name + ".bias", {channels});
  op.adaptive = adaptive;
  op.out = buffer(2 * std::int64_t{channels});
  plan_.ops.emplace_back(op);
  return {op.out, silu};
}

Value Planner::block(const std::string& name, const std::vector<Value>& in, std::int32_t channels, Scale scale, bool attention,
                     const BlockOptions& options) {
  const bool up = scale == Scale::up, down = scale == Scale::down;
  const auto& filter = options.resample_filter;
  const std::int32_t side = in[0].feature.height;
  const std::int32_t out_side = up ? side * 2 : down ? side / 2 : side;
  const auto begin = static_cast<std::int64_t>(plan_.ops.size());

  const Load load0 = norm(name + ".norm0", in, options.eps, true);
  const BufferId modulation = linear(name + ".affine", options.embedding, options.embedding_features,
                                     options.adaptive ? 2 * channels : channels, true, false);
  const Value middle = output_of(out_side, out_side, channels, true);
  ConvOp first = layer(name + ".conv0", width_of(in), channels, 3);
  if (scale == Scale::keep || is_box(filter)) {
    for (std::size_t i = 0; i < in.size(); ++i) first.src[i] = in[i].feature;
    first.load = load0;
    first.up2 = up;
    first.down2 = down;
    if (scale != Scale::keep) computed_weight(name + ".conv0.resample_filter", {1, 1, 2, 2});
  } else {
    invariant(in.size() == 1, "resampling of a concatenation");
    first.src[0] = resample(name + ".conv0", in[0], up, filter, load0, false).feature;
  }
  if (!options.adaptive) first.shift = modulation;
  first.out = middle.feature;
  first.stats = middle.stats;
  plan_.ops.emplace_back(first);

  const Load load1 = norm(name + ".norm1", {middle}, options.eps, true, options.adaptive ? modulation : kNone);
  const Value out = output_of(out_side, out_side, channels, true);
  ConvOp second = layer(name + ".conv1", channels, channels, 3);
  if (form_.dropout > 0) {
    second.src[0] = drop(middle.feature, load1);
  } else {
    second.src[0] = middle.feature;
    second.load = load1;
  }
  shortcut(name + ".skip", in, channels, scale, options, second);
  second.scale = options.skip_scale;
  second.out = out.feature;
  second.stats = out.stats;
  plan_.ops.emplace_back(second);
  // As published, a block too narrow for one head has no attention.
  const std::int32_t heads = options.channels_per_head > 0 ? channels / options.channels_per_head : options.heads;
  const Value result = attention && heads > 0 ? attend(name, out, heads, options) : out;
  plan_.blocks.push_back({begin, static_cast<std::int64_t>(plan_.ops.size())});
  return result;
}

Feature Planner::drop(const Feature& in, const Load& load) {
  DropoutOp op;
  op.in = in;
  op.load = load;
  op.chance = plan_.chance;
  op.out = output_of(in.height, in.width, in.channels, false).feature;
  op.layer = dropouts_++;
  op.rate = dropout_rate(form_.dropout);
  plan_.ops.emplace_back(op);
  return op.out;
}

// The path around the block: the input itself, resampled, projected, or both.
void Planner::shortcut(const std::string& name, const std::vector<Value>& in, std::int32_t channels, Scale scale,
                       const BlockOptions& options, ConvOp& second) {
  const std::int32_t width = width_of(in);
  const bool up = scale == Scale::up, down = scale == Scale::down;
  const bool project = width != channels || (scale != Scale::keep && options.resample_projection);
  if (scale == Scale::keep) {
    Feature* place = project ? second.skip : &second.residual;
    place[0] = in[0].feature;
    if (in.size() > 1) (project ? second.skip[1] : second.residual_tail) = in[1].feature;
    if (!project) return;
    second.skip_weight = weight(name + ".weight", {channels, width, 1, 1});
    second.skip_bias = weight(name + ".bias", {channels});
    return;
  }
  invariant(in.size() == 1, "resampling of a concatenation");
  const auto& filter = options.resample_filter;
  const auto size = static_cast<std::int64_t>(filter.size());
  if (is_box(filter) && !project) {
    computed_weight(name + ".resample_filter", {1, 1, size, size});
    second.residual = in[0].feature;
    second.residual_up2 = up;
    second.residual_down2 = down;
  } else if (is_box(filter) && up) {
    // A 1x1 convolution and nearest upsampling commute: project the small map.
    computed_weight(name + ".resample_filter", {1, 1, size, size});
    second.residual = conv(name, in[0], channels, 1).feature;
    second.residual_up2 = true;
  } else if (project) {
    second.skip[0] = resample(name, in[0], up, filter, {}, false).feature;
    second.skip_weight = weight(name + ".weight", {channels, width, 1, 1});
    second.skip_bias = weight(name + ".bias", {channels});
  } else {
    second.residual = resample(name, in[0], up, filter, {}, false).feature;
  }
}

Value Planner::attend(const std::string& name, const Value& in, std::int32_t heads, const BlockOptions& options) {
  const Feature& f = in.feature;
  if (f.channels % heads != 0) {
    throw Error(DC_BAD_ARGUMENT, "Attention over " + std::to_string(f.channels) + " channels does not split into " +
                                     std::to_string(heads) + " heads; choose other model_channels.");
  }
  const Load load = norm(name + ".norm2", {in}, options.eps, false);
  const Value qkv = output_of(f.height, f.width, 3 * f.channels, false);
  ConvOp query;
  query.kernel = 1;
  query.padding = 0;
  query.weight = weight(name + ".qkv.weight", {3 * f.channels, f.channels, 1, 1}, RowOrder::qkv, heads);
  query.bias = weight(name + ".qkv.bias", {3 * f.channels}, RowOrder::qkv, heads);
  query.src[0] = f;
  query.load = load;
  query.out = qkv.feature;
  plan_.ops.emplace_back(query);
  const Value mixed = output_of(f.height, f.width, f.channels, false);
  plan_.ops.emplace_back(AttentionOp{qkv.feature, mixed.feature, heads});
  const Value out = output_of(f.height, f.width, f.channels, true);
  ConvOp project = layer(name + ".proj", f.channels, f.channels, 1);
  project.src[0] = mixed.feature;
  project.residual = f;
  project.scale = options.skip_scale;
  project.out = out.feature;
  project.stats = out.stats;
  plan_.ops.emplace_back(project);
  return out;
}

Plan Planner::finish(const Value& output) {
  plan_.output = output.feature;
  plan_.buffers[static_cast<std::size_t>(plan_.output.buffer)].activation = false;
  place_buffers(plan_);
  return std::move(plan_);
}

Plan plan_network(const NetworkConfig& config, const TrainingForm& form) {
  Planner planner(config, form);
  if (config.precond == PrecondKind::iddpm) planner.computed_weight("u", {config.m + std::int64_t{1}});
  return planner.finish(config.architecture == Architecture::song ? build_song_unet(planner) : build_dhariwal_unet(planner));
}

}  // namespace diffcert
