// Places for buffers: each is alive from the op that writes it first to the op that reads it last, and those that are alive
// together lie apart. Large ones are placed first, each at the lowest place that is free while it lives.
#include <algorithm>
#include <functional>
#include <numeric>

#include "unet/planner.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: one cache line of float32

// Shows every buffer of an op to one of two functions; a sum that goes on is shown to both.
struct Each {
  const std::function<void(BufferId&)>&on_read, &on_write;
  void read(BufferId& id) const {
    if (id != kNone) on_read(id);
  }
  void write(BufferId& id) const {
    if (id != kNone) on_write(id);
  }
  void operator()(EmbedOp& o) const { read(o.noise_label), write(o.out); }
  void operator()(LinearOp& o) const { read(o.in), read(o.addend), write(o.out); }
  void operator()(StatsOp& o) const { read(o.in.buffer), write(o.out); }
  void operator()(NormOp& o) const { read(o.stats[0]), read(o.stats[1]), read(o.adaptive), write(o.out); }
  void operator()(ConvOp& o) const {
    for (Feature* f : {&o.src[0], &o.src[1], &o.skip[0], &o.skip[1], &o.residual, &o.residual_tail}) read(f->buffer);
    read(o.load.affine), read(o.shift), write(o.out.buffer), write(o.stats);
  }
  void operator()(ResampleOp& o) const { read(o.in.buffer), read(o.load.affine), write(o.out.buffer), write(o.stats); }
  void operator()(AttentionOp& o) const { read(o.in.buffer), write(o.out.buffer); }
  void operator()(AddOp& o) const { read(o.a.buffer), read(o.b.buffer), write(o.out.buffer), write(o.stats); }
  void operator()(DropoutOp& o) const { read(o.in.buffer), read(o.load.affine), read(o.chance), write(o.out.buffer); }
  void operator()(LoadGradient& g) const { read(g.gradient.buffer), read(g.source.buffer), read(g.load.affine); }
  void operator()(LoadSumsOp& o) const { (*this)(o.in), read(o.stats), write(o.out); }
  void operator()(NormBackwardOp& o) const {
    read(o.norm.stats[0]), read(o.norm.stats[1]), read(o.norm.adaptive), read(o.sums);
    write(o.slopes), write(o.adaptive), write(o.affine);
  }
  void operator()(PullbackOp& o) const {
    (*this)(o.in), read(o.slopes);
    if (o.accumulate) {
      BufferId sum = o.out.buffer;
      read(sum);
    }
    write(o.out.buffer);
  }
  void operator()(AttentionBackwardOp& o) const { read(o.in.buffer), read(o.gradient.buffer), write(o.out.buffer); }
  void operator()(SiluBackwardOp& o) const { read(o.in), read(o.gradient), write(o.out); }
  void operator()(ChannelSumOp& o) const { read(o.in.buffer), write(o.out); }
  void operator()(ConvGradientOp& o) const { read(o.src[0].buffer), read(o.src[1].buffer), read(o.load.affine), read(o.gradient.buffer); }
  void operator()(LinearGradientOp& o) const { read(o.in), read(o.gradient); }
  void operator()(AccumulateOp& o) const { read(o.in); }
};

struct Life {
  std::int64_t from = INT64_MAX, to = -1;
  void touch(std::int64_t op) { from = std::min(from, op), to = std::max(to, op); }
  bool meets(const Life& other) const { return from <= other.to && other.from <= to; }
};

// Places buffers of the given sizes; the arena's size.
template <class Size>
std::int64_t arena_of(std::vector<Buffer>& buffers, const std::vector<Life>& lives, const Size& size, std::int64_t Buffer::* offset) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return size(buffers[a]) > size(buffers[b]); });
  std::vector<std::size_t> placed;
  std::int64_t end = 0;
  for (const std::size_t b : order) {
    if (lives[b].to < lives[b].from) continue;  // no op of this plan knows it
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (const std::size_t other : placed) {
      const std::int64_t from = buffers[other].*offset;
      if (lives[other].meets(lives[b])) taken.emplace_back(from, from + size(buffers[other]));
    }
    std::sort(taken.begin(), taken.end());
    std::int64_t at = 0;
    for (const auto& [from, to] : taken) {
      if (at + size(buffers[b]) <= from) break;
      at = std::max(at, (to + kAlignment - 1) / kAlignment * kAlignment);
    }
    buffers[b].*offset = at;
    end = std::max(end, at + size(buffers[b]));
    placed.push_back(b);
  }
  return (end + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Operands operands(const Op& op) {
  Operands out;
  const std::function<void(BufferId&)> read = [&](BufferId& id) { out.reads.push_back(id); };
  const std::function<void(BufferId&)> write = [&](BufferId& id) { out.writes.push_back(id); };
  Op shown = op;
  std::visit(Each{read, write}, shown);
  return out;
}

void redirect(Op& op, const std::function<BufferId(BufferId)>& to) {
  const std::function<void(BufferId&)> move = [&](BufferId& id) { id = to(id); };
  std::visit(Each{move, move}, op);
}

void place_buffers(Plan& plan, std::span<const BufferId> given, std::span<const BufferId> kept) {
  std::vector<Life> lives(plan.buffers.size());
  const auto life = [&](BufferId id) -> Life& { return lives[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const Operands op = operands(plan.ops[i]);
    for (const BufferId id : op.reads) life(id).touch(static_cast<std::int64_t>(i));
    for (const BufferId id : op.writes) life(id).touch(static_cast<std::int64_t>(i));
  }
  // The device fills the inputs before the first op and reads the output after the last of the forward direction.
  for (const BufferId id : {plan.image.buffer, plan.noise_label, plan.label, plan.augment, plan.chance}) {
    if (id != kNone) life(id).touch(-1);
  }
  for (const BufferId id : given) life(id).touch(-1);
  if (plan.output.present()) life(plan.output.buffer).touch(plan.forward_count());
  for (const BufferId id : kept) life(id).touch(static_cast<std::int64_t>(plan.ops.size()));
  if (plan.cotangent.present()) life(plan.cotangent.buffer).touch(plan.forward_count());
  if (plan.gradient.present()) life(plan.gradient.buffer).touch(static_cast<std::int64_t>(plan.ops.size()));

  const auto place = [&](auto&& size, std::int64_t Buffer::* offset) { return arena_of(plan.buffers, lives, size, offset); };
  plan.arena_elements = place([](const Buffer& b) { return b.elements; }, &Buffer::offset);
  plan.half_arena_elements = place([](const Buffer& b) { return b.half_elements(); }, &Buffer::half_offset);
}

}  // namespace diffcert
