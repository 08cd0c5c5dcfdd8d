#include "emulator/shadow.hpp"

#include <algorithm>

namespace diffcert::emulator {
namespace {

constexpr std::int64_t kCell = 2;  // bytes; the smallest number in use is bf16

void raise(Clock& to, const Clock& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::max(to[i], from[i]);
}

}  // namespace

void Shadow::begin(int threads, std::int64_t bytes) {
  std::uint32_t latest = start_;
  for (const std::uint32_t epoch : epoch_) latest = std::max(latest, epoch);
  if (latest > 0xf0000000u) {
    cells_.clear();
    known_.clear();
    latest = 0;
  }
  start_ = floor_ = latest + 1;
  const auto width = static_cast<std::size_t>(threads + kUnits);
  epoch_.assign(width, start_);
  if (threads_ != threads || known_.empty()) known_.assign(static_cast<std::size_t>(threads), Clock(width, 0));
  threads_ = threads;
  mixed_ = false;
  common_of_ = -1;
  fences_.resize(static_cast<std::size_t>(threads));
  for (auto& fences : fences_) fences.clear();
  const auto cells = static_cast<std::size_t>((bytes + kCell - 1) / kCell);
  if (cells_.size() < cells) cells_.resize(cells);
}

// Whether the access that left `mark` is over for `thread`, who knows `known`.
bool Shadow::before(const Mark& mark, int thread, const Clock& known) const {
  if (mark.epoch < (is_unit(mark.thread) ? start_ : floor_) || mark.thread == thread) return true;
  return mark.epoch <= known[static_cast<std::size_t>(mark.thread)];
}

Shadow::Finding Shadow::check(const Cell& cell, std::int64_t byte, Access access, int thread, const Clock& known) const {
  if (cell.pending && cell.write.epoch >= start_) return {Verdict::pending, byte, cell.write.thread, true};
  if (!before(cell.write, thread, known)) return {Verdict::race, byte, cell.write.thread, true};
  if (access == Access::read) {
    if (cell.write.epoch < start_) return {Verdict::uninitialised, byte, -1, false};
    return {};
  }
  for (const Mark& read : cell.reads) {
    if (!before(read, thread, known)) return {Verdict::race, byte, read.thread, false};
  }
  return {};
}

void Shadow::read(Cell& cell, const Mark& mark) {
  if (cell.reads[0].thread != mark.thread) cell.reads[1] = cell.reads[0];
  cell.reads[0] = mark;
}

Shadow::Finding Shadow::note(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int thread) {
  const auto own = static_cast<std::size_t>(thread);
  const Mark mark{thread, epoch_[own], static_cast<std::uint32_t>(fences_[own].size())};
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    const Finding finding = check(cell, at, access, thread, known_[own]);
    if (finding.verdict != Verdict::fine) return finding;
    if (access == Access::write) {
      cell = {};
      cell.write = mark;
    } else {
      read(cell, mark);
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
  const auto own = static_cast<std::size_t>(thread);
  const Mark mark{thread, epoch_[own], static_cast<std::uint32_t>(fences_[own].size())};
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    cell = {};
    cell.write = mark;
  }
}

// The writer's first fence after the write must be over for the reader, too.
bool Shadow::fenced(const Mark& mark, int reader, const Clock& known) const {
  if (mark.thread < 0 || is_unit(mark.thread)) return true;
  const auto& fences = fences_[static_cast<std::size_t>(mark.thread)];
  if (fences.size() <= mark.fences) return false;
  return before({mark.thread, fences[mark.fences], 0}, reader, known);
}

Shadow::Finding Shadow::note_unit(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int unit, int issuer, const Clock& known) {
  const Mark mark{unit, epoch_[static_cast<std::size_t>(unit)], 0};
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    const Finding finding = check(cell, at, access, issuer, known);
    if (finding.verdict != Verdict::fine) return finding;
    if (cell.write.epoch >= start_ && !fenced(cell.write, issuer, known)) return {Verdict::unfenced, at, cell.write.thread, true};
    if (access == Access::write) {
      cell = {};
      cell.write = mark;
      cell.pending = true;
    } else {
      read(cell, mark);
    }
  }
  return {};
}

void Shadow::land(std::int64_t from, std::int64_t bytes, std::int64_t size, int unit) {
  for (std::int64_t at = from; at < from + bytes; at += size) {
    Cell& cell = cells_[static_cast<std::size_t>(at / kCell)];
    cell.write = {unit, epoch_[static_cast<std::size_t>(unit)], 0};
    cell.pending = false;
  }
}

void Shadow::fence(int thread) {
  const auto own = static_cast<std::size_t>(thread);
  fences_[own].push_back(epoch_[own]);
}

void Shadow::release(Clock& clock, int thread) {
  const auto own = static_cast<std::size_t>(thread);
  raise(clock, known_[own]);
  clock[own] = epoch_[own]++;
}

void Shadow::acquire(const Clock& clock, int thread) {
  raise(known_[static_cast<std::size_t>(thread)], clock);
  mixed_ = true;
  common_of_ = -1;
}

void Shadow::learn(int thread, int unit, std::uint32_t epoch) {
  std::uint32_t& known = known_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(unit)];
  known = std::max(known, epoch);
  mixed_ = true;
  common_of_ = -1;
}

bool Shadow::knows(int thread, int unit, std::uint32_t epoch) const {
  return epoch <= known_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(unit)];
}

const Clock& Shadow::common(int first, int count) {
  if (common_of_ == first) return common_;
  common_ = known_[static_cast<std::size_t>(first)];
  for (int t = first + 1; t < first + count; ++t) {
    const Clock& other = known_[static_cast<std::size_t>(t)];
    for (std::size_t i = 0; i < common_.size(); ++i) common_[i] = std::min(common_[i], other[i]);
  }
  common_of_ = first;
  return common_;
}

// All lanes met. Where no thread has met others since the last floor, only the warp's own columns can be news.
void Shadow::join_warp(int warp) {
  const auto first = static_cast<std::size_t>(warp * kWarp), end = first + kWarp;
  if (!mixed_) {
    for (std::size_t t = first; t < end; ++t) std::copy(epoch_.begin() + static_cast<std::ptrdiff_t>(first), epoch_.begin() + static_cast<std::ptrdiff_t>(end),
                                                        known_[t].begin() + static_cast<std::ptrdiff_t>(first));
    for (std::size_t t = first; t < end; ++t) ++epoch_[t];
    common_of_ = -1;
    return;
  }
  Clock all = clock();
  for (std::size_t t = first; t < end; ++t) release(all, static_cast<int>(t));
  for (std::size_t t = first; t < end; ++t) acquire(all, static_cast<int>(t));
}

// All threads met: everything they did is over for everybody; of the units, what any of them knew.
void Shadow::join_block() {
  for (int t = 0; t < threads_; ++t) floor_ = std::max(floor_, epoch_[static_cast<std::size_t>(t)] + 1);
  std::fill(epoch_.begin(), epoch_.begin() + threads_, floor_);
  for (int u = threads_; mixed_ && u < threads_ + kUnits; ++u) {
    const auto unit = static_cast<std::size_t>(u);
    std::uint32_t latest = 0;
    for (const Clock& known : known_) latest = std::max(latest, known[unit]);
    for (Clock& known : known_) known[unit] = latest;
  }
  mixed_ = false;
  common_of_ = -1;
}

}  // namespace diffcert::emulator
