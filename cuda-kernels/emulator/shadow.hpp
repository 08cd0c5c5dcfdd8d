// The order of accesses to shared memory: who wrote each element last, and who read it since, by vector clocks.
//
// Each thread counts its releases (its epoch) and knows up to which epoch of every other it may look. The asynchronous units, the engine of
// bulk copies and the matrix unit of each warpgroup, count in the same clocks as if they were threads: what they did is over for a thread
// when it has waited for it, or for somebody who has.
//
// An element is what its array holds (2 bytes or more); it is kept in the cell of its first two bytes, so an array's memory must not be
// looked at through an array of another type.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/machine.hpp"

namespace diffcert::emulator {

// Up to which epoch of each thread, and behind them of each asynchronous unit, something is over.
using Clock = std::vector<std::uint32_t>;

inline constexpr int kUnits = 1 + kMaxWarps / 4;  // the copy engine, and a matrix unit a warpgroup

class Shadow {
 public:
  struct Mark {
    std::int32_t thread = -1;  // or a unit
    std::uint32_t epoch = 0;
    std::uint32_t fences = 0;  // of the thread then; units need none
  };
  enum class Verdict : std::uint8_t { fine, uninitialised, race, pending, unfenced };
  struct Finding {
    Verdict verdict = Verdict::fine;
    std::int64_t byte = 0;
    int other = -1;  // the thread of the earlier access, or a unit
    bool other_wrote = false;
  };

  // A new block: nothing is written, everything earlier is over.
  void begin(int threads, std::int64_t bytes);
  int unit(int index) const { return threads_ + index; }
  bool is_unit(int thread) const { return thread >= threads_; }

  // [from, from + bytes) as elements of `size` bytes, by a thread as ordinary loads and stores do.
  Finding note(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int thread);
  Finding note_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread);
  void finish_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread);
  // The same by a unit at its present epoch, for somebody to whom `known` is over: behind the asynchronous proxy, so that what threads wrote must
  // have been fenced before they released it.
  Finding note_unit(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int unit, int issuer, const Clock& known);
  // A bulk copy's target is nobody's until land().
  void land(std::int64_t from, std::int64_t bytes, std::int64_t size, int unit);

  // fence.proxy.async by a thread.
  void fence(int thread);
  // What a thread did and knows so far goes into the clock; what comes later does not.
  void release(Clock& clock, int thread);
  void acquire(const Clock& clock, int thread);
  // A unit finishes an operation: its epoch, then the next.
  std::uint32_t finish_unit(int unit) { return epoch_[static_cast<std::size_t>(unit)]++; }
  std::uint32_t epoch(int thread) const { return epoch_[static_cast<std::size_t>(thread)]; }
  // A thread has waited for a unit up to that epoch; whether it has.
  void learn(int thread, int unit, std::uint32_t epoch);
  bool knows(int thread, int unit, std::uint32_t epoch) const;
  // What all of [first, first + count) know.
  const Clock& common(int first, int count);
  Clock clock() const { return Clock(epoch_.size(), 0); }
  const Clock& known(int thread) const { return known_[static_cast<std::size_t>(thread)]; }
  void join_warp(int warp);
  void join_block();

 private:
  struct Cell {
    Mark write, reads[2];  // the last readers of two different threads
    bool pending = false;
  };
  bool before(const Mark& mark, int thread, const Clock& known) const;
  Finding check(const Cell& cell, std::int64_t byte, Access access, int thread, const Clock& known) const;
  bool fenced(const Mark& mark, int reader, const Clock& known) const;
  static void read(Cell& cell, const Mark& mark);

  int threads_ = 0;
  std::uint32_t start_ = 0;  // marks of earlier epochs are of earlier blocks
  std::uint32_t floor_ = 0;  // marks of threads of earlier epochs are over for every thread
  bool mixed_ = false;       // threads of different warps met since the last floor other than at a barrier of the block
  Clock epoch_;
  std::vector<Clock> known_;
  std::vector<std::vector<std::uint32_t>> fences_;  // of each thread: its epochs then
  Clock common_;
  int common_of_ = -1;
  std::vector<Cell> cells_;
};

// Fails with the sentence of a finding that is not fine.
[[noreturn]] void judge(const Shadow::Finding& finding, std::int64_t bytes, Access access, const char* array, const Where& where);

}  // namespace diffcert::emulator
