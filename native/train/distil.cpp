#include "train/distil.hpp"

#include <string>

#include "core/status.hpp"

namespace diffcert {
namespace {

constexpr std::uint32_t kHeads = 8;  // index of the training stream, docs/spec/noise.md

}  // namespace

std::vector<HeadShare> choose_heads(const NetworkConfig& student, const NoiseKey& image, std::int32_t label, std::int32_t count) {
  const std::int32_t own = student.head_of(label);
  std::vector<HeadShare> chosen{{own, count == 1 ? 1.0 : 0.5}};
  std::vector<std::int32_t> others;
  for (std::int32_t head = 0; head < student.heads; ++head) {
    if (head != own) others.push_back(head);
  }
  for (std::int32_t i = 0; i + 1 < count; ++i) {
    const std::uint64_t bits = image.uniforms(NoiseStream::training, kHeads, static_cast<std::uint32_t>(i / 2))[static_cast<std::size_t>(i % 2)];
    const auto place = static_cast<std::size_t>(static_cast<double>(others.size()) * (static_cast<double>(bits >> 11) * 0x1p-53));
    chosen.push_back({others[place], 0.5 / (count - 1)});
    others[place] = others.back();
    others.pop_back();
  }
  return chosen;
}

void check_teacher(const Network& teacher, const NetworkConfig& student, std::int32_t heads) {
  const NetworkConfig& own = teacher.config();
  require(teacher.finished(), "The teacher has no weights yet.");
  require(student.multi_head(), "A network that is distilled has a head for each class.");
  require(own.img_resolution == student.img_resolution && own.img_channels == student.img_channels,
          "The teacher takes images of another shape than the network that is distilled from it.");
  if (own.classes() != student.classes()) {
    throw Error(DC_BAD_ARGUMENT, "The teacher knows " + std::to_string(own.classes()) + " classes, the network that is distilled from it has heads for " +
                                     std::to_string(student.classes()) + ".");
  }
  if (heads < 1 || heads > student.heads) {
    throw Error(DC_BAD_ARGUMENT, "An image teaches 1 to " + std::to_string(student.heads) + " heads, not " + std::to_string(heads) + ".");
  }
}

}  // namespace diffcert
