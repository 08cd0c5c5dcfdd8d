// What works behind a block's threads: barriers with phases in shared memory (mbarrier), bulk copies that complete on them, and the matrix
// units of warpgroups (wgmma). Reads and writes of copies and matrix units go through the asynchronous proxy.
//
// Everything is as late as the hardware may be: a bulk copy lands when no thread can go on (with a shuffled order: in some later round),
// a product is made when a thread waits for it. What an operation will touch is noted when it is issued, so that whoever is in its way
// until then is found.
//
// The model is stricter than the hardware in two things: a write must be fenced by the thread that made it, before it releases it; and all 128 threads
// of a warpgroup must have waited for what its matrices are made of.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "emulator/machine.hpp"
#include "emulator/shadow.hpp"

namespace diffcert::emulator {

inline constexpr int kWarpgroup = 4 * kWarp;

// What all threads of a warpgroup say of one product: c [64][columns] = or += a [64][16] times b [16][columns], bf16 by descriptors.
struct Product {
  std::uint64_t a, b;
  int columns;
  bool add;
};

// A fault found with no thread running: whose operation it was.
struct Complaint {
  FaultKind kind;
  int thread;
  std::string text;
  Where where;
};

class Async {
 public:
  Async(Shadow& shadow) : shadow_(shadow) {}
  void begin();
  // [at, at + bytes) is an array of the block's; a matrix lies in one.
  void note_array(std::int64_t at, std::int64_t bytes, const char* name) { arrays_[at] = {bytes, name}; }

  // ---- barriers, by their byte in shared memory ----
  void init(std::int64_t at, int arrivals, const Where& where);
  void arrive(std::int64_t at, std::int64_t expected, const Where& where);
  // Whether the phase of that parity is complete; if so the thread knows what was released to it.
  bool passed(std::int64_t at, int parity, int thread);
  std::string missing(std::int64_t at) const;

  // ---- bulk copies ----
  void copy(std::int64_t to, const void* from, std::int64_t bytes, std::int64_t element, const char* array, std::int64_t barrier, const Where& where);
  // Lands copies: one or more if nobody can go on, otherwise some by chance. The second is whether any landed.
  std::pair<std::optional<Complaint>, bool> advance(bool idle, bool shuffled, std::mt19937_64& random);
  std::optional<Complaint> left_over() const;

  // ---- matrix units; group is a warpgroup's number ----
  // All 128 threads have come; the operation's epoch.
  std::uint32_t multiply(int group, const Product& product, const std::array<float*, kWarpgroup>& c, const Where& where);
  void commit(int warp);
  // All but the last `pending` groups that the warp committed are done, for its threads.
  void wait(int warp, int pending);

 private:
  struct Barrier {
    int arrivals = 0, pending = 0;
    std::int64_t bytes = 0;  // still to come; negative if they came before they were announced
    std::uint32_t phase = 0;
    Clock clock, done;       // what was released to it so far, and up to its last complete phase
  };
  struct Bulk {
    std::int64_t to;
    const void* from;
    std::int64_t bytes, element, barrier;
    std::uint32_t phase;
    int thread;
    Where where;
  };
  struct Pending {
    std::uint32_t epoch;
    Product product;
    std::array<float*, kWarpgroup> c;
  };
  struct Unit {
    std::vector<Pending> pending;
    std::array<std::vector<std::uint32_t>, 4> groups;  // each warp's: the epoch up to which one goes
  };
  Barrier& barrier(std::int64_t at, const Where& where);
  bool complete(Barrier& barrier);
  std::optional<Complaint> land(const Bulk& bulk);
  void make(const Product& product, const std::array<float*, kWarpgroup>& c);
  void note_operand(char operand, std::uint64_t descriptor, int rows, int unit, const Clock& known, const Where& where);

  // What a product is made of; here, since a fiber's stack is small.
  struct Operands {
    std::vector<float> a, b;
    std::vector<double> turned, sums;
  };
  struct Array {
    std::int64_t bytes;
    const char* name;
  };
  Shadow& shadow_;
  std::map<std::int64_t, Array> arrays_;
  std::map<std::int64_t, Barrier> barriers_;
  std::vector<Bulk> copies_;
  std::array<Unit, kMaxWarps / 4> units_;
  Operands operands_;
};

}  // namespace diffcert::emulator
