// Places for buffers: each is alive from the op that writes it first to the op that reads it last, and those that are alive
// together lie apart. Large ones are placed first, each at the lowest place that is free while it lives.
#include <algorithm>
#include <numeric>

#include "unet/planner.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: one cache line of float32

struct Collect {
  Operands& out;
  void read(BufferId id) const {
    if (id != kNone) out.reads.push_back(id);
  }
  void write(BufferId id) const {
    if (id != kNone) out.writes.push_back(id);
  }
  void operator()(const EmbedOp& o) const { read(o.noise_label), write(o.out); }
  void operator()(const LinearOp& o) const { read(o.in), read(o.addend), write(o.out); }
  void operator()(const StatsOp& o) const { read(o.in.buffer), write(o.out); }
  void operator()(const NormOp& o) const { read(o.stats[0]), read(o.stats[1]), read(o.adaptive), write(o.out); }
  void operator()(const ConvOp& o) const {
    for (const Feature& f : {o.src[0], o.src[1], o.skip[0], o.skip[1], o.residual, o.residual_tail}) read(f.buffer);
    read(o.load.affine), read(o.shift), write(o.out.buffer), write(o.stats);
  }
  void operator()(const ResampleOp& o) const { read(o.in.buffer), read(o.load.affine), write(o.out.buffer), write(o.stats); }
  void operator()(const AttentionOp& o) const { read(o.in.buffer), write(o.out.buffer); }
  void operator()(const AddOp& o) const { read(o.a.buffer), read(o.b.buffer), write(o.out.buffer), write(o.stats); }
};

struct Life {
  std::int64_t from = INT64_MAX, to = -1;
  void touch(std::int64_t op) { from = std::min(from, op), to = std::max(to, op); }
  bool meets(const Life& other) const { return from <= other.to && other.from <= to; }
};

}  // namespace

Operands operands(const Op& op) {
  Operands out;
  std::visit(Collect{out}, op);
  return out;
}

void place_buffers(Plan& plan) {
  std::vector<Life> lives(plan.buffers.size());
  const auto life = [&](BufferId id) -> Life& { return lives[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const Operands op = operands(plan.ops[i]);
    for (const BufferId id : op.reads) life(id).touch(static_cast<std::int64_t>(i));
    for (const BufferId id : op.writes) life(id).touch(static_cast<std::int64_t>(i));
  }
  // The device fills the inputs before the first op and reads the output after the last.
  for (const BufferId id : {plan.image.buffer, plan.noise_label, plan.label}) {
    if (id != kNone) life(id).touch(-1);
  }
  life(plan.output.buffer).touch(static_cast<std::int64_t>(plan.ops.size()));

  std::vector<std::size_t> order(plan.buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return plan.buffers[a].elements > plan.buffers[b].elements; });
  std::vector<std::size_t> placed;
  plan.arena_elements = 0;
  for (const std::size_t b : order) {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (const std::size_t other : placed) {
      if (lives[other].meets(lives[b])) taken.emplace_back(plan.buffers[other].offset, plan.buffers[other].offset + plan.buffers[other].elements);
    }
    std::sort(taken.begin(), taken.end());
    std::int64_t offset = 0;
    for (const auto& [from, to] : taken) {
      if (offset + plan.buffers[b].elements <= from) break;
      offset = std::max(offset, (to + kAlignment - 1) / kAlignment * kAlignment);
    }
    plan.buffers[b].offset = offset;
    plan.arena_elements = std::max(plan.arena_elements, offset + plan.buffers[b].elements);
    placed.push_back(b);
  }
  plan.arena_elements = (plan.arena_elements + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace diffcert
