// Plans: the published sizes to the last parameter, shapes that fit, and an arena where nothing that is still needed is
// overwritten.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "ops/dropout.hpp"
#include "unet/backward.hpp"
#include "unet/planner.hpp"

using namespace diffcert;

namespace {

void set_list(std::int32_t* values, std::int32_t& length, const std::vector<std::int32_t>& from) {
  length = static_cast<std::int32_t>(from.size());
  std::copy(from.begin(), from.end(), values);
}

dc_network_config published(const std::string& name) {
  for (const auto& network : bench::published_networks()) {
    if (network.name == name) return network.config;
  }
  throw Error(DC_INTERNAL, "no network " + name);
}

dc_network_config cifar10(bool ncsnpp, bool conditional) {
  dc_network_config c = published("cifar10");
  c.label_dim = conditional ? 10 : 0;
  if (ncsnpp) {
    c.embedding_type = 1;
    c.channel_mult_noise = 2;
    c.encoder_type = 2;
    set_list(c.resample_filter, c.resample_filter_len, {1, 3, 3, 1});
  }
  return c;
}

// Buffers of the published modules (filters, Fourier frequencies, iDDPM's u) are not parameters.
std::int64_t parameters(const Plan& plan) {
  std::int64_t sum = 0;
  for (const Weight& weight : plan.weights) {
    if (weight.computed || weight.name.ends_with("freqs")) continue;
    std::int64_t count = 1;
    for (const std::int64_t extent : weight.shape)
      count *= extent;
    sum += count;
  }
  return sum;
}

// What an op touches, as features and plain buffers with the number of elements it needs there.
struct Touch {
  BufferId buffer;
  std::int64_t elements;
};

struct Touches {
  std::vector<Touch> reads, writes;

  static std::int64_t size(const Feature& f) { return std::int64_t{f.height} * f.width * f.channels; }
  void read(BufferId b, std::int64_t n) {
    if (b != kNone) reads.push_back({b, n});
  }
  void write(BufferId b, std::int64_t n) {
    if (b != kNone) writes.push_back({b, n});
  }
  void operator()(const EmbedOp& o) { read(o.noise_label, 1), write(o.out, o.channels); }
  void operator()(const LinearOp& o) {
    read(o.in, o.in_features), read(o.addend, o.out_features), write(o.out, o.out_features);
  }
  void operator()(const StatsOp& o) { read(o.in.buffer, size(o.in)), write(o.out, 2 * o.in.channels); }
  void operator()(const NormOp& o) {
    const std::int64_t channels = o.channels[0] + o.channels[1];
    read(o.stats[0], 2 * o.channels[0]), read(o.stats[1], 2 * o.channels[1]), read(o.adaptive, 2 * channels),
        write(o.out, 2 * channels);
  }
  void operator()(const ConvOp& o) {
    for (const Feature& f : {o.src[0], o.src[1], o.skip[0], o.skip[1], o.residual, o.residual_tail})
      read(f.buffer, size(f));
    read(o.load.affine, 2 * (o.src[0].channels + o.src[1].channels)), read(o.shift, o.out.channels);
    write(o.out.buffer, size(o.out)), write(o.stats, 2 * o.out.channels);
  }
  void operator()(const ResampleOp& o) {
    read(o.in.buffer, size(o.in)), read(o.load.affine, 2 * o.in.channels), write(o.out.buffer, size(o.out)),
        write(o.stats, 2 * o.out.channels);
  }
  void operator()(const AttentionOp& o) { read(o.in.buffer, size(o.in)), write(o.out.buffer, size(o.out)); }
  void operator()(const AddOp& o) {
    read(o.a.buffer, size(o.a)), read(o.b.buffer, size(o.b)), write(o.out.buffer, size(o.out)),
        write(o.stats, 2 * o.out.channels);
  }
  void operator()(const LoadGradient& g) {
    read(g.gradient.buffer, size(g.gradient)), read(g.source.buffer, size(g.source)), read(g.load.affine, 2 * g.gradient.channels);
  }
  void operator()(const DropoutOp& o) {
    read(o.in.buffer, size(o.in)), read(o.load.affine, 2 * o.in.channels), read(o.chance, kChanceParts), write(o.out.buffer, size(o.out));
  }
  void operator()(const LoadSumsOp& o) {
    (*this)(o.in), read(o.stats, 2 * o.in.source.channels), write(o.out, 2 * o.in.gradient.channels);
  }
  void operator()(const NormBackwardOp& o) {
    const std::int64_t channels = o.norm.channels[0] + o.norm.channels[1];
    read(o.norm.stats[0], 2 * o.norm.channels[0]), read(o.norm.stats[1], 2 * o.norm.channels[1]), read(o.norm.adaptive, 2 * channels);
    read(o.sums, 2 * channels), write(o.slopes, 2 * channels), write(o.adaptive, 2 * channels), write(o.affine, 2 * channels);
  }
  void operator()(const PullbackOp& o) {
    (*this)(o.in), read(o.slopes, 2 * o.in.gradient.channels), write(o.out.buffer, size(o.out));
    if (o.accumulate) read(o.out.buffer, size(o.out));
  }
  void operator()(const AttentionBackwardOp& o) {
    read(o.in.buffer, size(o.in)), read(o.gradient.buffer, size(o.gradient)), write(o.out.buffer, size(o.out));
  }
  void operator()(const SiluBackwardOp& o) { read(o.in, o.elements), read(o.gradient, o.elements), write(o.out, o.elements); }
  void operator()(const ChannelSumOp& o) { read(o.in.buffer, size(o.in)), write(o.out, o.in.channels); }
  void operator()(const ConvGradientOp& o) {
    read(o.src[0].buffer, size(o.src[0])), read(o.src[1].buffer, size(o.src[1])), read(o.gradient.buffer, size(o.gradient));
    read(o.load.affine, 2 * (o.src[0].channels + o.src[1].channels));
  }
  void operator()(const LinearGradientOp& o) { read(o.in, o.in_features), read(o.gradient, o.out_features); }
  void operator()(const AccumulateOp&) {}  // of a part of its buffer
};

// Where a buffer lies and how far it goes, in a form.
struct Extent {
  bool half;
  std::int64_t from(const Buffer& b) const { return half ? b.half_offset : b.offset; }
  std::int64_t size(const Buffer& b) const { return half ? b.half_elements() : b.elements; }
};

// Plays the plan with a list of the buffers whose content is whole: a write removes all that it overlaps, a read needs
// its own.
void check_arena(const Plan& plan, const Extent& extent, const std::string& name) {
  std::set<BufferId> whole;
  const auto at = [&](BufferId id) -> const Buffer& { return plan.buffers.at(static_cast<std::size_t>(id)); };
  const auto overlap = [&](const Buffer& x, const Buffer& y) {
    return extent.from(x) < extent.from(y) + extent.size(y) && extent.from(y) < extent.from(x) + extent.size(x);
  };
  const std::int64_t end = extent.half ? plan.half_arena_elements : plan.arena_elements;
  bool intact = true, apart = true, inside = true, aligned = true, fits = true;
  const auto put = [&](BufferId id) {
    std::erase_if(whole, [&](BufferId other) { return other != id && overlap(at(other), at(id)); });
    whole.insert(id);
    inside = inside && extent.from(at(id)) >= 0 && extent.from(at(id)) + extent.size(at(id)) <= end;
    aligned = aligned && extent.from(at(id)) % 16 == 0;
  };
  for (const BufferId input : {plan.image.buffer, plan.noise_label, plan.label, plan.augment, plan.chance}) {
    if (input == kNone) continue;
    for (const BufferId other : whole)
      apart = apart && !overlap(at(input), at(other));
    put(input);
  }
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    if (static_cast<std::int64_t>(i) == plan.forward_count()) {
      intact = intact && whole.contains(plan.output.buffer);
      apart = apart && !overlap(at(plan.output.buffer), at(plan.cotangent.buffer));
      put(plan.cotangent.buffer);
    }
    Touches touches;
    std::visit(touches, plan.ops[i]);
    for (const Touch& read : touches.reads) {
      intact = intact && whole.contains(read.buffer);
      fits = fits && read.elements == at(read.buffer).elements;
      for (const Touch& write : touches.writes)
        apart = apart && (read.buffer == write.buffer || !overlap(at(read.buffer), at(write.buffer)));
    }
    for (std::size_t w = 0; w < touches.writes.size(); ++w) {
      fits = fits && touches.writes[w].elements == at(touches.writes[w].buffer).elements;
      for (std::size_t j = 0; j < w; ++j)
        apart = apart && !overlap(at(touches.writes[w].buffer), at(touches.writes[j].buffer));
      put(touches.writes[w].buffer);
    }
  }
  CHECK(intact) << name << ": an op reads a buffer that was overwritten or never written";
  CHECK(apart) << name << ": an op's results lie on its inputs";
  CHECK(inside && aligned) << name << ": a buffer outside the arena or off its line";
  CHECK(fits) << name << ": an op and its buffer differ in size";
  const BufferId result = plan.cotangent.present() ? plan.gradient.buffer : plan.output.buffer;
  CHECK(whole.contains(result)) << name << ": the result does not survive";
}

std::int32_t channels(const Feature (&f)[2]) {
  return f[0].channels + f[1].channels;
}

// Shapes of a convolution: sources, weights and result fit each other.
void check_conv(const Plan& plan, const ConvOp& o, const std::string& name) {
  const Weight& w = plan.weights.at(static_cast<std::size_t>(o.weight));
  std::vector<std::int64_t> shape = {o.out.channels, channels(o.src), o.kernel, o.kernel};
  if (o.transposed) std::swap(shape[0], shape[1]);
  CHECK(w.shape == shape) << name << ": " << w.name;
  const auto scaled = [&](std::int32_t n) {
    return (o.up2 ? 2 * n : o.down2 ? n / 2 : n) + 2 * o.padding - o.kernel + 1;
  };
  CHECK(o.out.height == scaled(o.src[0].height) && o.out.width == scaled(o.src[0].width)) << name << ": " << w.name;
  CHECK(!o.src[1].present() || (o.src[1].height == o.src[0].height && o.src[1].width == o.src[0].width))
      << name << ": " << w.name;
  if (o.skip[0].present()) {
    CHECK(!o.up2 && !o.down2 && o.skip[0].height == o.out.height && o.skip[0].width == o.out.width)
        << name << ": " << w.name;
    const std::vector<std::int64_t> projection = {o.out.channels, channels(o.skip), 1, 1};
    CHECK(plan.weights.at(static_cast<std::size_t>(o.skip_weight)).shape == projection) << name << ": " << w.name;
  }
  if (o.residual.present()) {
    const std::int32_t height = o.residual_up2     ? 2 * o.residual.height
                                : o.residual_down2 ? o.residual.height / 2
                                                   : o.residual.height;
    CHECK(height == o.out.height && o.residual.channels + o.residual_tail.channels == o.out.channels)
        << name << ": " << w.name;
  }
}

void check_plan(const Plan& plan, const std::string& name);

// The same plan with its backward direction, everything kept and as little as can be.
void check_backward(const Plan& forward, const std::string& name) {
  for (const bool weights : {false, true}) {
    const Plan kept = differentiate(forward, weights, 0), least = differentiate(forward, weights, 1);
    check_plan(kept, name + ", backwards");
    check_plan(least, name + ", backwards, recomputed");
    CHECK(least.arena_elements <= kept.arena_elements) << name << ": " << kept.arena_elements << " kept, " << least.arena_elements;
  }
}

void check_plan(const Plan& plan, const std::string& name) {
  check_arena(plan, Extent{false}, name);
  check_arena(plan, Extent{true}, name + ", activations in bf16");
  if (!plan.cotangent.present()) check_backward(plan, name);
  std::set<std::string> names;
  for (const Weight& weight : plan.weights)
    CHECK(names.insert(weight.name).second) << name << ": two tensors " << weight.name;
  for (const Op& op : plan.ops) {
    if (const auto* conv = std::get_if<ConvOp>(&op)) check_conv(plan, *conv, name);
    if (const auto* add = std::get_if<AddOp>(&op)) {
      CHECK(add->a.height == add->out.height && add->b.height == add->out.height && add->a.channels == add->b.channels)
          << name;
    }
  }
}

void published_sizes() {
  const auto count = [](const dc_network_config& config) {
    const Plan plan = plan_network(validate(config));
    check_plan(plan, "published");
    return parameters(plan);
  };
  CHECK(count(cifar10(false, true)) == 55735299);
  CHECK(count(cifar10(false, false)) == 55733891);
  CHECK(count(cifar10(true, true)) == 56400643);
  CHECK(count(cifar10(true, false)) == 56397827);
  CHECK(count(published("imagenet64")) == 295899267);
  // For training the same tensors in the same order, whatever else its rows have.
  for (const dc_network_config& config : {cifar10(false, true), cifar10(true, true)}) {
    const Plan used = plan_network(validate(config)), trained = plan_network(validate(config), {true, 0.13});
    check_plan(trained, "for training");
    CHECK(trained.augment_dim == config.augment_dim && trained.chance != kNone) << trained.augment_dim;
    CHECK(std::equal(used.weights.begin(), used.weights.end(), trained.weights.begin(), trained.weights.end(),
                     [](const Weight& a, const Weight& b) { return a.name == b.name && a.shape == b.shape; }));
  }
  // Batch 8 in float32 is to stay far below 2 GiB beside the packed weights.
  CHECK(plan_network(validate(cifar10(false, true))).arena_elements * 4 * 8 < (std::int64_t{256} << 20));
}

// Every encoder, decoder, filter and embedding, at sizes that are odd at the bottom.
void variants() {
  for (const std::int32_t encoder : {0, 1, 2}) {
    for (const std::int32_t decoder : {0, 1}) {
      for (const auto& filter :
           std::vector<std::vector<std::int32_t>>{{1, 1}, {1, 3, 3, 1}, {1, 4, 7, 7, 4, 1}, {2, 2}}) {
        for (const std::int32_t resolution : {4, 12, 20, 28, 60}) {
          dc_network_config c = published("mnist");
          c.img_resolution = resolution;
          c.img_channels = resolution == 20 ? 3 : 1;
          c.encoder_type = encoder;
          c.decoder_type = decoder;
          set_list(c.channel_mult, c.channel_mult_len, {2, 1, 3});
          set_list(c.resample_filter, c.resample_filter_len, filter);
          set_list(c.attn_resolutions, c.attn_resolutions_len, {resolution / 2});
          const Plan plan = plan_network(validate(c));
          const std::string name = "encoder " + std::to_string(encoder) + " decoder " + std::to_string(decoder) +
                                   " filter " + std::to_string(filter.size()) + " size " + std::to_string(resolution);
          check_plan(plan, name);
          CHECK(plan.output.height == resolution && plan.output.channels == c.img_channels) << name;
        }
      }
    }
  }
  for (const auto& network : bench::small_networks())
    check_plan(plan_network(validate(network.config)), network.name);
}

// A residual that is a concatenation: a decoder block as wide as its two sources together. That takes an encoder
// without blocks.
void wide_residual() {
  dc_network_config c = published("mnist");
  c.num_blocks = 0;
  set_list(c.channel_mult, c.channel_mult_len, {2, 1});
  const Plan plan = plan_network(validate(c));
  check_plan(plan, "wide residual");
  bool found = false;
  for (const Op& op : plan.ops) {
    if (const auto* conv = std::get_if<ConvOp>(&op)) found = found || conv->residual_tail.present();
  }
  CHECK(found) << "no block adds its concatenated input";
}

// DhariwalUNet has a head for every whole 64 channels: below that the published block has no attention, not even in
// `in0`.
void narrow_attention() {
  dc_network_config c = published("imagenet64");
  c.model_channels = 32;
  set_list(c.channel_mult, c.channel_mult_len, {1, 3});
  set_list(c.attn_resolutions, c.attn_resolutions_len, {64, 32});
  const Plan plan = plan_network(validate(c));
  check_plan(plan, "narrow attention");
  for (const Weight& weight : plan.weights) {
    const bool wide =
        weight.name.find("32x32_block") != std::string::npos || weight.name.find("32x32_in0") != std::string::npos;
    if (weight.name.ends_with("qkv.weight")) CHECK(wide && weight.heads == 1) << weight.name;
  }
  CHECK(std::count_if(plan.ops.begin(), plan.ops.end(),
                      [](const Op& op) { return std::holds_alternative<AttentionOp>(op); }) == 8);
}

template <class Change>
void refused(const char* option, Change&& change) {
  dc_network_config c = cifar10(true, true);
  change(c);
  try {
    plan_network(validate(c));
    CHECK(false) << "accepted: " << option;
  } catch (const Error& e) {
    const std::string sentence = e.what();
    CHECK(e.status == DC_BAD_ARGUMENT && sentence.size() > 20 && sentence.back() == '.') << option << ": " << sentence;
  }
}

void refusals() {
  using C = dc_network_config&;
  refused("architecture", [](C c) { c.architecture = 2; });
  refused("precond", [](C c) { c.precond = -1; });
  refused("img_resolution", [](C c) { c.img_resolution = 0; });
  refused("img_resolution too large", [](C c) { c.img_resolution = 1 << 20; });
  refused("img_resolution that cannot be halved", [](C c) { c.img_resolution = 30; });
  refused("img_channels", [](C c) { c.img_channels = 0; });
  refused("label_dim", [](C c) { c.label_dim = -1; });
  refused("augment_dim", [](C c) { c.augment_dim = -9; });
  refused("model_channels", [](C c) { c.model_channels = 0; });
  refused("model_channels that groups do not divide", [](C c) { c.model_channels = 74; });
  refused("model_channels, odd", [](C c) { c.model_channels = 33; });
  refused("channel_mult, empty", [](C c) { c.channel_mult_len = 0; });
  refused("channel_mult, too long", [](C c) { c.channel_mult_len = 17; });
  refused("channel_mult, zero", [](C c) { c.channel_mult[1] = 0; });
  refused("channel_mult_emb", [](C c) { c.channel_mult_emb = 0; });
  refused("num_blocks", [](C c) { c.num_blocks = -1; });
  refused("attn_resolutions", [](C c) { c.attn_resolutions_len = -1; });
  refused("embedding_type", [](C c) { c.embedding_type = 2; });
  refused("encoder_type", [](C c) { c.encoder_type = 3; });
  refused("decoder_type", [](C c) { c.decoder_type = 2; });
  refused("resample_filter, empty", [](C c) { c.resample_filter_len = 0; });
  refused("resample_filter, not symmetric", [](C c) { c.resample_filter[0] = 2; });
  refused("sigma_data", [](C c) { c.sigma_data = 0; });
  refused("sigma_data, not a number", [](C c) { c.sigma_data = 0.0 / 0.0; });
  refused("M", [](C c) { c.precond = 3, c.m = 0; });
}

}  // namespace

int main() {
  published_sizes();
  variants();
  wide_residual();
  narrow_attention();
  refusals();
  return check::finish();
}
