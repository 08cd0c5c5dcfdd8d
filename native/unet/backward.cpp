// Walks the ops backwards. The gradient of a buffer is the sum over those that read it, in the order of the walk; each op finds the
// gradient of what it wrote complete, because all readers come after the writer.
#include "unet/backward.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "core/status.hpp"
#include "unet/planner.hpp"

namespace diffcert {
namespace {

std::int64_t size_of(const Feature& f) { return std::int64_t{f.height} * f.width * f.channels; }
bool learns(const Op& op) {
  return std::holds_alternative<LinearOp>(op) || std::holds_alternative<NormOp>(op) || std::holds_alternative<ConvOp>(op);
}

class Walk {
 public:
  Walk(Plan& plan, const std::vector<BufferId>& inputs, const BackwardOptions& options)
      : plan_(plan), parameters_(options.parameters), ops_(plan.ops), active_(plan.buffers.size(), false),
        gradient_(plan.buffers.size(), kNone), now_(plan.buffers.size()) {
    std::iota(now_.begin(), now_.end(), 0);
    for (const BufferId id : inputs) active_[place(id)] = true;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      const Operands buffers = operands(ops_[i]);
      const bool here = (parameters_ && learns(ops_[i])) ||
                        std::any_of(buffers.reads.begin(), buffers.reads.end(), [&](BufferId id) { return active_[place(id)]; });
      for (const BufferId id : buffers.writes) active_[place(id)] = active_[place(id)] || here;
      if (const auto* norm = std::get_if<NormOp>(&ops_[i])) norms_[norm->out] = *norm;
    }
  }

  void start(const Feature& output, BufferId cotangent) { gradient_[place(output.buffer)] = cotangent; }

  void run(const BackwardOptions& options) {
    for (auto i = static_cast<std::int64_t>(ops_.size()) - 1; i >= 0; --i) {
      for (std::size_t b = 0; b < options.recompute.size(); ++b) {
        if (options.recompute[b] && plan_.blocks[b].to == i + 1) recompute(plan_.blocks[b]);
      }
      std::visit([this](const auto& op) { back(op); }, ops_[static_cast<std::size_t>(i)]);
    }
  }

  BufferId gradient(BufferId id) const { return gradient_[place(id)]; }

 private:
  static std::size_t place(BufferId id) { return static_cast<std::size_t>(id); }
  BufferId buffer(std::int64_t elements) {
    plan_.buffers.push_back({elements, 0});
    return static_cast<BufferId>(plan_.buffers.size() - 1);
  }
  // The gradient of what lies in `of`, or of something of its kind; a device that keeps activations in bf16 keeps their gradients so.
  BufferId gradient_buffer(std::int64_t elements, BufferId of) {
    const bool activation = plan_.buffers[place(of)].activation;
    const BufferId id = buffer(elements);
    plan_.buffers.back().activation = activation;
    return id;
  }
  bool active(BufferId id) const { return id != kNone && active_[place(id)]; }
  bool active(const Feature& f) const { return active(f.buffer); }
  // Where a value of the forward direction lies now: where it lay, or where it was computed again.
  BufferId now(BufferId id) const { return id == kNone ? kNone : now_[place(id)]; }
  Feature now(Feature f) const {
    f.buffer = now(f.buffer);
    return f;
  }
  Load now(Load load) const {
    load.affine = now(load.affine);
    return load;
  }
  Feature gradient_of(Feature f) const {
    f.buffer = gradient_[place(f.buffer)];
    return f;
  }
  template <class T>
  void emit(const T& op) {
    plan_.ops.emplace_back(op);
  }

  // ---- The ops, backwards --------------------------------------------------------------------------------------------

  void back(const ConvOp& op) {
    const Feature from = gradient_of(op.out);
    if (!from.present()) return;
    if (parameters_) {
      learn(op, op.src, op.load, op.weight, from);
      if (op.skip[0].present()) {
        ConvOp skip = op;
        skip.kernel = 1, skip.padding = 0, skip.up2 = skip.down2 = false;
        learn(skip, op.skip, {}, op.skip_weight, from);
      }
    }
    if ((parameters_ && (op.bias != kNone || op.skip_bias != kNone)) || active(op.shift)) {
      const BufferId sums = buffer(op.out.channels);
      emit(ChannelSumOp{from, sums, op.scale});
      for (const WeightId bias : {op.bias, op.skip_bias}) {
        if (parameters_ && bias != kNone) emit(AccumulateOp{sums, 0, op.out.channels, bias});
      }
      if (active(op.shift)) hand_over(op.shift, {sums, 1, 1, op.out.channels});
    }
    if (active(op.src[0]) || active(op.src[1])) {
      const std::int32_t height = op.up2 ? op.src[0].height * 2 : op.down2 ? op.src[0].height / 2 : op.src[0].height;
      const std::int32_t width = op.up2 ? op.src[0].width * 2 : op.down2 ? op.src[0].width / 2 : op.src[0].width;
      through_load(adjoint(op.weight, op.kernel, op.padding, op.scale, from, height, width, op.src), op.src, op.load, op.up2, op.down2);
    }
    if (active(op.skip[0]) || active(op.skip[1])) {
      through_load(adjoint(op.skip_weight, 1, 0, op.scale, from, op.out.height, op.out.width, op.skip), op.skip, {}, false, false);
    }
    if (op.residual.present()) {
      pass_on(op.residual, {from, 0, op.residual_up2, op.residual_down2, op.scale, {}, {}}, kNone);
    }
    if (op.residual_tail.present()) {
      pass_on(op.residual_tail, {from, op.residual.channels, op.residual_up2, op.residual_down2, op.scale, {}, {}}, kNone);
    }
  }

  void back(const ResampleOp& op) {
    const Feature from = gradient_of(op.out);
    if (!from.present() || !active(op.in)) return;
    // Zero-insertion and striding are each other's adjoints; only up has the factor 4, which is 2 a direction.
    ResampleOp adjoint{from, op.in, {}, !op.up, op.padding, op.filter, kNone};
    adjoint.out.buffer = gradient_buffer(size_of(op.in), op.in.buffer);
    for (float& tap : adjoint.filter) tap *= op.up ? 2.0f : 0.5f;
    emit(adjoint);
    const Feature in[2] = {op.in, {}};
    through_load(adjoint.out, in, op.load, false, false);
  }

  void back(const AttentionOp& op) {
    const Feature from = gradient_of(op.out);
    if (!from.present() || !active(op.in)) return;
    Feature out = op.in;
    out.buffer = gradient_buffer(size_of(op.in), op.in.buffer);
    emit(AttentionBackwardOp{now(op.in), from, out, op.heads});
    hand_over(op.in.buffer, out);
  }

  void back(const AddOp& op) {
    const Feature from = gradient_of(op.out);
    if (!from.present()) return;
    for (const Feature& term : {op.a, op.b}) pass_on(term, {from, 0, false, false, op.scale, {}, {}}, kNone);
  }

  void back(const DropoutOp& op) {
    const Feature from = gradient_of(op.out);
    if (!from.present() || !active(op.in)) return;
    DropoutOp again{from, {}, op.chance, op.out, op.layer, op.rate};
    again.out.buffer = gradient_buffer(size_of(op.out), op.out.buffer);
    emit(again);
    const Feature in[2] = {op.in, {}};
    through_load(again.out, in, op.load, false, false);
  }

  void back(const LinearOp& op) {
    BufferId from = gradient_[place(op.out)];
    if (from == kNone) return;
    if (op.silu) {  // what came before the SiLU is computed again: it is small
      LinearOp again = op;
      again.in = now(op.in), again.addend = now(op.addend);
      again.silu = false;
      again.out = buffer(op.out_features);
      emit(again);
      const BufferId before = buffer(op.out_features);
      emit(SiluBackwardOp{again.out, from, before, op.out_features});
      from = before;
    }
    if (parameters_) {
      emit(LinearGradientOp{now(op.in), from, op.in_features, op.out_features, op.in_scale, op.weight});
      if (op.bias != kNone) emit(AccumulateOp{from, 0, op.out_features, op.bias});
    }
    if (active(op.addend)) pass_on({op.addend, 1, 1, op.out_features}, {{from, 1, 1, op.out_features}, 0, false, false, 1.0f, {}, {}}, kNone);
    if (active(op.in)) {
      LinearOp adjoint;
      adjoint.in = from;
      adjoint.out = buffer(op.in_features);
      adjoint.in_features = op.out_features;
      adjoint.out_features = op.in_features;
      adjoint.weight = op.weight;
      adjoint.in_scale = op.in_scale;
      adjoint.transposed = true;
      emit(adjoint);
      hand_over(op.in, {adjoint.out, 1, 1, op.in_features});
    }
  }

  // Noise labels and frequencies are given, not learnt; statistics and norms go back with the load that used them.
  template <class T>
  void back(const T&) {}

  // ---- Their parts -----------------------------------------------------------------------------------------------------

  void learn(const ConvOp& op, const Feature (&sources)[2], const Load& load, WeightId weight, const Feature& from) {
    emit(ConvGradientOp{{now(sources[0]), now(sources[1])}, now(load), op.kernel, op.padding, op.up2, op.down2, from, op.scale, weight});
  }

  // The gradient of what the convolution read: a convolution with the weight transposed and flipped.
  Feature adjoint(WeightId weight, std::int32_t kernel, std::int32_t padding, float scale, const Feature& from, std::int32_t height,
                  std::int32_t width, const Feature (&sources)[2]) {
    ConvOp op;
    op.src[0] = from;
    op.kernel = kernel;
    op.padding = kernel - 1 - padding;
    op.transposed = true;
    op.weight = weight;
    op.scale = scale;
    op.out = {kNone, height, width, sources[0].channels + sources[1].channels};
    op.out.buffer = gradient_buffer(size_of(op.out), sources[0].buffer);
    emit(op);
    return op.out;
  }

  // From the gradient of what a load gave to the gradients of its sources, its norm among the ways.
  void through_load(const Feature& loaded, const Feature (&sources)[2], const Load& load, bool up2, bool down2) {
    if (load.affine == kNone && !load.silu && !up2 && !down2 && !sources[1].present()) {
      hand_over(sources[0].buffer, loaded);
      return;
    }
    LoadGradient in{loaded, 0, up2, down2, 1.0f, {}, now(load)};
    const auto each = [&](const auto& body) {
      for (int s = 0; s < 2 && sources[s].present(); ++s) {
        in.first = s == 0 ? 0 : sources[0].channels;
        in.source = load.affine != kNone || load.silu ? now(sources[s]) : Feature{};
        body(s);
      }
    };
    BufferId slopes = kNone;
    if (load.affine != kNone) {
      const NormOp& norm = norms_.at(load.affine);
      NormBackwardOp op;
      op.norm = norm;
      op.norm.stats[0] = now(norm.stats[0]), op.norm.stats[1] = now(norm.stats[1]);
      op.norm.adaptive = now(norm.adaptive), op.norm.out = kNone;
      op.sums = buffer(2 * std::int64_t{loaded.channels});
      each([&](int s) { emit(LoadSumsOp{in, op.norm.stats[s], op.sums}); });
      op.slopes = slopes = buffer(2 * std::int64_t{loaded.channels});
      if (active(norm.adaptive)) op.adaptive = buffer(2 * std::int64_t{loaded.channels});
      if (parameters_) op.affine = buffer(2 * std::int64_t{loaded.channels});
      emit(op);
      if (active(norm.adaptive)) hand_over(norm.adaptive, {op.adaptive, 1, 1, 2 * loaded.channels});
      if (parameters_) {
        emit(AccumulateOp{op.affine, 0, loaded.channels, norm.gamma});
        emit(AccumulateOp{op.affine, loaded.channels, loaded.channels, norm.beta});
      }
    }
    each([&](int s) { pass_on(sources[s], in, slopes); });
  }

  // Adds what comes back through `in` to the gradient of `to`.
  void pass_on(const Feature& to, const LoadGradient& in, BufferId slopes) {
    if (!active(to)) return;
    BufferId& gradient = gradient_[place(to.buffer)];
    const bool first = gradient == kNone;
    if (first) gradient = gradient_buffer(size_of(to), to.buffer);
    emit(PullbackOp{in, slopes, gradient_of(to), !first});
  }

  // The same for a whole gradient, whose buffer nobody else writes: the first is taken as it is.
  void hand_over(BufferId to, const Feature& gradient) {
    if (!active(to)) return;
    if (gradient_[place(to)] == kNone) {
      gradient_[place(to)] = gradient.buffer;
    } else {
      Feature sum = gradient;
      sum.buffer = gradient_[place(to)];
      emit(PullbackOp{{gradient, 0, false, false, 1.0f, {}, {}}, kNone, sum, true});
    }
  }

  // The ops of a block whose results stay inside it, once more, into buffers of their own.
  void recompute(const Block& block) {
    std::vector<bool> outside(ops_.empty() ? 0 : now_.size(), false);
    if (plan_.output.present()) outside[place(plan_.output.buffer)] = true;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (static_cast<std::int64_t>(i) >= block.from && static_cast<std::int64_t>(i) < block.to) continue;
      for (const BufferId id : operands(ops_[i]).reads) outside[place(id)] = true;
    }
    for (std::int64_t i = block.from; i < block.to; ++i) {
      Op op = ops_[static_cast<std::size_t>(i)];
      const std::vector<BufferId> writes = operands(op).writes;
      if (std::any_of(writes.begin(), writes.end(), [&](BufferId id) { return outside[place(id)]; })) continue;
      redirect(op, [&](BufferId id) { return now(id); });  // what it reads; what it writes has no other place yet
      std::unordered_map<BufferId, BufferId> moved;
      for (const BufferId id : writes) {
        moved[id] = now_[place(id)] = buffer(plan_.buffers[place(id)].elements);
        plan_.buffers.back().activation = plan_.buffers[place(id)].activation;
      }
      redirect(op, [&](BufferId id) { return moved.contains(id) ? moved.at(id) : id; });
      emit(op);
    }
  }

  Plan& plan_;
  bool parameters_;
  std::vector<Op> ops_;  // of the forward direction
  std::vector<bool> active_;
  std::vector<BufferId> gradient_, now_;
  std::unordered_map<BufferId, NormOp> norms_;  // by the affine that they make
};

// Leaves out what nobody reads: recomputed values that only the forward direction wanted, sums for gradients that were not asked.
void drop_unread(Plan& plan, std::int64_t from, const std::vector<BufferId>& results) {
  std::vector<bool> read(plan.buffers.size(), false);
  for (const BufferId id : results) {
    if (id != kNone) read[static_cast<std::size_t>(id)] = true;
  }
  std::vector<Op> kept;
  for (auto i = static_cast<std::int64_t>(plan.ops.size()) - 1; i >= from; --i) {
    const Operands buffers = operands(plan.ops[static_cast<std::size_t>(i)]);
    const bool wanted = buffers.writes.empty() || std::any_of(buffers.writes.begin(), buffers.writes.end(),
                                                              [&](BufferId id) { return read[static_cast<std::size_t>(id)]; });
    if (!wanted) continue;
    for (const BufferId id : buffers.reads) read[static_cast<std::size_t>(id)] = true;
    kept.push_back(plan.ops[static_cast<std::size_t>(i)]);
  }
  plan.ops.resize(static_cast<std::size_t>(from));
  plan.ops.insert(plan.ops.end(), kept.rbegin(), kept.rend());
}

// What recomputing a block can save: its insides.
std::int64_t insides(const Plan& plan, const Block& block) {
  std::int64_t sum = 0;
  for (std::int64_t i = block.from; i < block.to; ++i) {
    for (const BufferId id : operands(plan.ops[static_cast<std::size_t>(i)]).writes) sum += plan.buffers[static_cast<std::size_t>(id)].elements;
  }
  return sum;
}

Plan with_backward(const Plan& forward, const BackwardOptions& options) {
  Plan plan = forward;
  plan.parameters = options.parameters;
  plan.cotangent = plan.output;
  plan.buffers.push_back({size_of(plan.output), 0});
  plan.cotangent.buffer = static_cast<BufferId>(plan.buffers.size() - 1);
  plan.forward_ops = static_cast<std::int64_t>(forward.ops.size());
  plan.gradient = plan.image;
  plan.gradient.buffer = append_backward(plan, plan.output, plan.cotangent.buffer, {plan.image.buffer}, options).front();
  invariant(plan.gradient.present(), "an output that does not depend on the image");
  place_buffers(plan);
  return plan;
}

}  // namespace

std::vector<BufferId> append_backward(Plan& plan, const Feature& output, BufferId cotangent, const std::vector<BufferId>& inputs,
                                      const BackwardOptions& options) {
  const auto forward = static_cast<std::int64_t>(plan.ops.size());
  Walk walk(plan, inputs, options);
  walk.start(output, cotangent);
  walk.run(options);
  std::vector<BufferId> results;
  for (const BufferId id : inputs) results.push_back(walk.gradient(id));
  drop_unread(plan, forward, results);
  return results;
}

Plan differentiate(const Plan& forward, bool parameters, std::int64_t elements) {
  std::vector<std::size_t> order(forward.blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return insides(forward, forward.blocks[a]) > insides(forward, forward.blocks[b]); });
  const auto plan_of = [&](std::size_t count) {
    BackwardOptions options{parameters, std::vector<bool>(forward.blocks.size(), false)};
    for (std::size_t i = 0; i < count; ++i) options.recompute[order[i]] = true;
    return with_backward(forward, options);
  };
  Plan plan = plan_of(0);
  if (elements <= 0 || plan.arena_elements <= elements) return plan;
  std::size_t low = 0, high = order.size();  // of the counts in (low, high], the least that fits; all where none does
  plan = plan_of(high);
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    Plan tried = plan_of(middle);
    if (tried.arena_elements <= elements) high = middle, plan = std::move(tried);
    else low = middle;
  }
  return plan;
}

}  // namespace diffcert
