// The order of accesses to shared memory: who wrote each element last, and who read it since, in warps' epochs.
//
// An element is what its array holds (2 bytes or more); it is kept in the cell of its first two bytes, so an array's memory must not be
// looked at through an array of another type.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emulator/machine.hpp"

namespace diffcert::emulator {

class Shadow {
 public:
  struct Mark {
    std::int32_t thread = -1;
    std::uint32_t epoch = 0;
  };
  enum class Verdict : std::uint8_t { fine, uninitialised, race, pending };
  struct Finding {
    Verdict verdict = Verdict::fine;
    std::int64_t byte = 0;
    int other = -1;  // the thread of the earlier access
    bool other_wrote = false;
  };

  // A new block: nothing is written, everything earlier is over.
  void begin(int warps, std::int64_t bytes);
  // [from, from + bytes) as elements of `size` bytes.
  Finding note(std::int64_t from, std::int64_t bytes, std::int64_t size, Access access, int thread);
  Finding note_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread);
  void finish_pending(std::int64_t from, std::int64_t bytes, std::int64_t size, int thread);
  // All lanes of a warp met.
  void join_warp(int warp) { ++epoch_[static_cast<std::size_t>(warp)]; }
  void join_block();
  // The warps of `mask` met: what each knew, all know.
  void join_warps(std::uint32_t mask);

 private:
  struct Cell {
    Mark write, reads[2];  // the last readers of two different threads
    bool pending = false;
  };
  bool before(const Mark& mark, int thread) const;
  Finding check(const Cell& cell, std::int64_t byte, Access access, int thread) const;

  int warps_ = 0;
  std::uint32_t start_ = 0;  // marks of earlier epochs are of earlier blocks
  std::uint32_t floor_ = 0;  // marks of earlier epochs are over for every thread
  std::array<std::uint32_t, kMaxWarps> epoch_{};
  std::array<std::array<std::uint32_t, kMaxWarps>, kMaxWarps> known_{};
  std::vector<Cell> cells_;
};

}  // namespace diffcert::emulator
