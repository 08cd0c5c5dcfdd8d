// Makes cases of the op table.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "bench/op_cases.hpp"
#include "unet/planner.hpp"

namespace diffcert::bench {

// Builds a case around one op or a few: buffers in the order they are asked for, all slices of the image.
class Maker {
 public:
  explicit Maker(std::string name) {
    case_.name = std::move(name);
    case_.plan.buffers.push_back({0, 0});
    case_.plan.noise_label = buffer(1);
  }
  BufferId noise_label() const { return case_.plan.noise_label; }
  BufferId buffer(std::int64_t elements) {
    Plan& plan = case_.plan;
    plan.buffers.push_back({elements, plan.arena_elements, false, plan.arena_elements});
    plan.half_arena_elements = plan.arena_elements += (elements + 15) / 16 * 16;
    return static_cast<BufferId>(plan.buffers.size() - 1);
  }
  Feature feature(std::int32_t h, std::int32_t w, std::int32_t c) {
    const Feature f{buffer(std::int64_t{1} * h * w * c), h, w, c};
    case_.plan.buffers.back().activation = true;
    return f;
  }
  WeightId weight(std::int64_t count, double bound = 1) {
    case_.plan.weights.push_back({"w", {count}});
    auto values = random_floats(count, 50 + static_cast<std::uint32_t>(case_.weights.size()));
    for (float& v : values) v *= static_cast<float>(bound);
    case_.weights.push_back(std::move(values));
    return static_cast<WeightId>(case_.weights.size() - 1);
  }
  OpCase finish(const Op& op, std::int64_t depth) { return finish_all({op}, depth); }
  // Several ops, one after the other; what one reads and writes keeps its values.
  OpCase finish_all(const std::vector<Op>& ops, std::int64_t depth) {
    Plan& plan = case_.plan;
    plan.buffers[0].elements = plan.arena_elements;
    plan.image = plan.output = {0, 1, 1, static_cast<std::int32_t>(plan.arena_elements)};
    plan.ops = ops;
    case_.depth = depth;
    case_.image = random_floats(plan.arena_elements, 9);
    for (const Op& op : ops) {
      const Operands at = operands(op);
      for (const BufferId id : at.writes) {
        if (std::find(case_.written.begin(), case_.written.end(), id) != case_.written.end()) continue;
        case_.written.push_back(id);
        if (std::find(at.reads.begin(), at.reads.end(), id) != at.reads.end()) continue;
        const Buffer& place = plan.buffers[static_cast<std::size_t>(id)];
        for (std::int64_t i = 0; i < place.elements; ++i) case_.image[static_cast<std::size_t>(place.offset + i)] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    return std::move(case_);
  }
  // An op that ends in a weight: a plan that goes backwards and has nothing forwards.
  OpCase finish_learning(const Op& op, WeightId weight, std::int64_t depth) {
    OpCase c = finish_all({op}, depth);
    c.learnt = weight;
    c.plan.cotangent = c.plan.gradient = c.plan.image;
    c.plan.parameters = true;
    return c;
  }
  // Sums of squares must not be negative.
  void squares(BufferId stats, std::int64_t channels) { squares_.push_back({stats, channels}); }
  OpCase finish_norm(const Op& op, std::int64_t depth) {
    OpCase c = finish_all({op}, depth);
    for (const auto& [stats, channels] : squares_) {
      const std::int64_t first = c.plan.buffers[static_cast<std::size_t>(stats)].offset + channels;
      for (std::int64_t i = first; i < first + channels; ++i) c.image[static_cast<std::size_t>(i)] = 10 * std::fabs(c.image[static_cast<std::size_t>(i)]);
    }
    return c;
  }

 private:
  OpCase case_;
  std::vector<std::pair<BufferId, std::int64_t>> squares_;
};

}  // namespace diffcert::bench
