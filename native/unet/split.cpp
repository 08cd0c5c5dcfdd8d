#include "unet/split.hpp"

#include <algorithm>

#include "unet/planner.hpp"

namespace diffcert {

SplitPlan split_plan(const Plan& plan) {
  SplitPlan split;
  std::vector<std::uint8_t> of_labels(plan.buffers.size());  // what a buffer holds depends on the labels alone
  const auto mark = [&](BufferId id) -> std::uint8_t& { return of_labels[static_cast<std::size_t>(id)]; };
  for (const BufferId id : {plan.noise_label, plan.label}) {
    if (id != kNone) mark(id) = 1;
  }
  split.table.buffers = split.rows.buffers = plan.buffers;
  for (const Op& op : plan.ops) {
    const Operands at = operands(op);
    const bool table = std::all_of(at.reads.begin(), at.reads.end(), [&](BufferId id) { return mark(id) != 0; });
    for (const BufferId id : at.writes) mark(id) = table ? 1 : 0;
    split.of_table.push_back(table ? 1 : 0);
    (table ? split.table : split.rows).ops.push_back(op);
    for (const BufferId id : at.reads) {
      const bool known = std::find(split.handed.begin(), split.handed.end(), id) != split.handed.end();
      if (!table && mark(id) != 0 && !known) split.handed.push_back(id);
    }
  }
  split.table.noise_label = plan.noise_label;
  split.table.label = plan.label;
  split.table.label_dim = plan.label_dim;
  split.rows.image = plan.image;
  split.rows.output = plan.output;
  split.rows.heads = plan.heads;
  place_buffers(split.table, {}, split.handed);
  place_buffers(split.rows, split.handed, {});
  return split;
}

}  // namespace diffcert
