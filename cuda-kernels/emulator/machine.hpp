// The emulator: runs a kernel on a CPU block by block, each thread a fiber, and looks for what a GPU would not tell.
//
// It finds: accesses outside a buffer or outside shared memory, misaligned vector accesses, reads of shared memory that nobody
// wrote, races on shared memory (two threads, one of them writing, with no barrier in between), reads of what cp.async has not yet
// brought, collectives that not every lane of the warp joins, barriers that not every thread reaches; and of what works behind the threads
// (async.hpp): writes that no fence has carried to the asynchronous proxy, sums read before their products are made, barriers told of too
// few or too many bytes. A fault names the kernel, the block, the thread, the place and the source line; the launch ends there.
//
// The order of time is kept by clocks (shadow.hpp). Threads run in an order that the seed chooses: 0 ascending, 1 descending, others shuffled
// anew in each round; so do blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "emulator/fiber.hpp"

namespace diffcert::emulator {

struct Dim {
  std::uint32_t x = 1, y = 1, z = 1;
  std::int64_t count() const { return std::int64_t{1} * x * y * z; }
};

enum class FaultKind : std::uint8_t {
  out_of_bounds_global,
  out_of_bounds_shared,
  misaligned,
  uninitialised_shared,
  race,
  pending_copy,
  incomplete_warp,
  divergent_barrier,
  bad_barrier,
  bad_descriptor,
  unfenced,
  pending_sum,
  bad_launch,
};

struct Fault {
  FaultKind kind;
  std::string text;  // one sentence
};

struct Launch {
  const char* kernel;
  void (*body)(const void* params);
  const void* params;
  Dim grid, block;
  std::int64_t shared_bytes = 0;
  std::uint64_t seed = 0;
};

// Runs all blocks in this thread; the first fault ends it.
std::optional<Fault> run(const Launch& launch);

inline constexpr int kWarp = 32, kMaxThreads = 1024, kMaxWarps = kMaxThreads / kWarp;
inline constexpr std::int64_t kMaxShared = 227 << 10;  // what one block may have on the largest architecture

using Where = std::source_location;

// ---- what the kernels' side uses (device.hpp, ptx.hpp) ---------------------------------------------------------------------

// A cp.async on its way.
struct Copy {
  void* to;
  const void* from;
  std::int64_t element;
  std::uint32_t group;
};

struct Thread {
  Dim index;
  int number = 0, lane = 0, warp = 0;
  enum class State : std::uint8_t { ready, barrier, phase, collective, done } state = State::ready;
  Where where;  // of the barrier or collective it waits at
  std::vector<Copy> copies;
  std::uint32_t groups = 0;  // committed
  std::int64_t phase_of = 0; // the barrier whose phase of that parity it waits for
  int parity = 0;
  std::uint32_t register_fences = 0;
  Context context;
};

extern constinit thread_local Thread* self;
extern constinit thread_local Dim block_index, block_size, grid_size;

// Ends the launch with a fault of this thread.
[[noreturn]] void fail(FaultKind kind, const std::string& what, const Where& where);

// Where the block's shared memory lies, and its size.
unsigned char* shared_memory();
std::int64_t shared_size();

enum class Access : std::uint8_t { read, write };
// Bounds are the array's business; this keeps the order of accesses, and who wrote first.
void note_shared(const void* at, std::int64_t bytes, std::int64_t element, Access access, const char* array, const Where& where);
// cp.async: [at, at + bytes) belongs to the copy until that thread waits for it.
void note_pending(const void* at, std::int64_t bytes, std::int64_t element, const char* array, const Where& where);
// 16 bytes for the thread's open group of copies (from null: zeros); wait carries out all but the last `pending` committed groups.
void queue_copy(void* to, const void* from, std::int64_t element);
void commit_copies();
void wait_copies(int pending);
// Fails unless [at, at + bytes) lies in one live allocation of device memory.
void check_global(const void* at, std::int64_t bytes, const Where& where);

void sync_threads(const Where& where);
void sync_named(int id, int threads, bool wait, const Where& where);
// All 32 lanes meet; the last one to come runs op over what each brought. memory: orders memory within the warp, as __syncwarp.
using Op = void (*)(void* const lanes[kWarp]);
void collective(Op op, void* mine, bool memory, const char* name, const Where& where);

// ---- what works behind the threads (async.hpp); addresses are in shared memory -----------------------------------------------

std::int64_t offset_of(const void* at);
void note_array(const void* at, std::int64_t bytes, const char* name);
void barrier_init(const void* at, int arrivals, const Where& where);
// One arrival, and `expected` bytes announced.
void barrier_arrive(const void* at, std::int64_t expected, const Where& where);
void barrier_wait(const void* at, int parity, const Where& where);
void bulk_copy(void* to, const void* from, std::int64_t bytes, std::int64_t element, const char* array, const void* barrier, const Where& where);
void fence_async_proxy();
// What a thread brings to its warpgroup's product: all but the sums must be the same in all.
struct Multiplication {
  std::uint64_t a, b;
  int columns;
  bool add;  // or set
  float* sums;
  const Where* where = nullptr;
  std::uint32_t epoch = 0;  // comes out: what sums_made asks for
};
void matrix_multiply(Multiplication& mine, const Where& where);
void matrix_commit(const Where& where);
void matrix_wait(int pending, const Where& where);
bool sums_made(std::uint32_t epoch);
// All 128 threads of a warpgroup meet, for nothing else.
void meet_warpgroup(const char* name, const Where& where);

// ---- device memory ---------------------------------------------------------------------------------------------------------

// Filled with bytes 0xff (NaN), between two guard zones.
void* allocate_global(std::int64_t bytes);
// Whether [at, at + bytes) lies in one live allocation.
bool holds_global(const void* at, std::int64_t bytes);
// "" or what is wrong: not an allocation, or a guard zone was written to.
std::string free_global(void* memory);
// The same for all live allocations.
std::string check_guards();

}  // namespace diffcert::emulator
