#include "emulator/shadow.hpp"

#include <algorithm>

namespace diffcert::emulator {
namespace {

constexpr std::int64_t kCell = 2;  // bytes; the smallest number in use is bf16

}  // namespace

void Shadow::begin(int warps, std::int64_t bytes) {
  warps_ = warps;
  std::uint32_t latest = start_;
  for (const std::uint32_t epoch : epoch_) latest = std::max(latest, epoch);
  if (latest > 0xf0000000u) {
    cells_.clear();
    latest = 0;
  }
  start_ = floor_ = latest + 1;
  epoch_.fill(start_);
  for (auto& row : known_) row.fill(latest);
  const auto cells = static_cast<std::size_t>((bytes + kCell - 1) / kCell);
  if (cells_.size() < cells) cells_.resize(cells);
}

// Whether the access that left `mark` is over for `thread`: its own, of an earlier epoch of its warp, or of one its warp knows of.
bool Shadow::before(const Mark& mark, int thread) const {
  if (mark.epoch < floor_ || mark.thread == thread) return true;
  const auto own = static_cast<std::size_t>(thread / kWarp), other = static_cast<std::size_t>(mark.thread / kWarp);
  return own == other ? mark.epoch < epoch_[own] : mark.epoch <= known_[own][other];
}

Shadow::Finding Shadow::check(const Cell& cell, std::int64_t byte, Access access, int thread) const {
  if (cell.pending && cell.write.epoch >= start_) return {Verdict::pending, byte, cell.write.thread, true};
  if (!before(cell.write, thread)) return {Verdict::race, byte, cell.write.thread, true};
  if (access == Access::read) {
    if (cell.write.epoch < start_) return {Verdict::uninitialised, byte, -1, false};
    return {};
  }
  for (const Mark& read : cell.reads) {
    if (!before(read, thread)) return {Verdict::race, byte, read.thread, false};
  }
  return {};
}

Shadow::Finding Shadow::note(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int thread) {
  const Mark mark{thread, epoch_[static_cast<std::size_t>(thread / kWarp)]};
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    const Finding finding = check(cell, at, access, thread);
    if (finding.verdict != Verdict::fine) return finding;
    if (access == Access::write) {
      cell = {};
      cell.write = mark;
    } else {
      if (cell.reads[0].thread != thread) cell.reads[1] = cell.reads[0];
      cell.reads[0] = mark;
    }
  }
  return {};
}

Shadow::Finding Shadow::note_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread) {
  const Finding finding = note(from, bytes, size, Access::write, thread);
  if (finding.verdict != Verdict::fine) return finding;
  for (std::int64_t at = from; at < from + bytes; at += size) cells_[static_cast<std::size_t>(at / kCell)].pending = true;
  return {};
}

void Shadow::finish_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread) {
  const Mark mark{thread, epoch_[static_cast<std::size_t>(thread / kWarp)]};
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    cell = {};
    cell.write = mark;
  }
}

// All warps met: everything so far is over for everybody.
void Shadow::join_block() {
  for (const std::uint32_t epoch : epoch_) floor_ = std::max(floor_, epoch + 1);
  epoch_.fill(floor_);
  for (auto& row : known_) row.fill(floor_ - 1);
}

void Shadow::join_warps(std::uint32_t mask) {
  std::array<std::uint32_t, kMaxWarps> all{};
  for (int w = 0; w < warps_; ++w) {
    const auto warp = static_cast<std::size_t>(w);
    for (int m = 0; m < warps_; ++m) {
      if (mask >> m & 1) all[warp] = std::max(all[warp], known_[static_cast<std::size_t>(m)][warp]);
    }
    if (mask >> w & 1) all[warp] = epoch_[warp];
  }
  for (int w = 0; w < warps_; ++w) {
    if (!(mask >> w & 1)) continue;
    known_[static_cast<std::size_t>(w)] = all;
    ++epoch_[static_cast<std::size_t>(w)];
  }
}

}  // namespace diffcert::emulator
