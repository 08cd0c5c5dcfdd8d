// Device memory of the emulator: allocations with guard zones, and whether an address lies in one.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "emulator/machine.hpp"

namespace diffcert::emulator {
namespace {

constexpr std::int64_t kGuard = 4096, kAlignment = 256;
constexpr unsigned char kGuardByte = 0xa5, kPoison = 0xff;

struct Allocations {
  std::mutex lock;
  std::map<std::uintptr_t, std::int64_t> live;  // by the first byte
};

std::atomic<std::uint64_t> changes{0};  // frees so far: a thread's hits are not trusted after one

Allocations& allocations() {
  static Allocations all;
  return all;
}

std::int64_t whole(std::int64_t bytes) { return (bytes + 2 * kGuard + kAlignment - 1) / kAlignment * kAlignment; }

bool guards_intact(const unsigned char* memory, std::int64_t bytes) {
  for (std::int64_t i = 1; i <= kGuard; ++i) {
    if (memory[-i] != kGuardByte || memory[bytes + i - 1] != kGuardByte) return false;
  }
  return true;
}

}  // namespace

void* allocate_global(std::int64_t bytes) {
  auto* memory = static_cast<unsigned char*>(::operator new(static_cast<std::size_t>(whole(bytes)), std::align_val_t{kAlignment}));
  std::memset(memory, kGuardByte, static_cast<std::size_t>(whole(bytes)));
  memory += kGuard;
  std::memset(memory, kPoison, static_cast<std::size_t>(bytes));
  Allocations& all = allocations();
  const std::lock_guard hold(all.lock);
  all.live.emplace(reinterpret_cast<std::uintptr_t>(memory), bytes);
  return memory;
}

bool holds_global(const void* at, std::int64_t bytes) {
  Allocations& all = allocations();
  const std::lock_guard hold(all.lock);
  const auto from = reinterpret_cast<std::uintptr_t>(at);
  const auto next = all.live.upper_bound(from);
  if (next == all.live.begin()) return false;
  const auto found = std::prev(next);
  return from + static_cast<std::uintptr_t>(bytes) <= found->first + static_cast<std::uintptr_t>(found->second);
}

std::string free_global(void* memory) {
  if (memory == nullptr) return "";
  Allocations& all = allocations();
  const std::lock_guard hold(all.lock);
  const auto found = all.live.find(reinterpret_cast<std::uintptr_t>(memory));
  if (found == all.live.end()) return "memory is freed that was never allocated, or twice";
  auto* bytes = static_cast<unsigned char*>(memory);
  const bool intact = guards_intact(bytes, found->second);
  all.live.erase(found);
  ++changes;
  ::operator delete(bytes - kGuard, std::align_val_t{kAlignment});
  return intact ? "" : "a kernel wrote beside an allocation";
}

std::string check_guards() {
  Allocations& all = allocations();
  const std::lock_guard hold(all.lock);
  for (const auto& [at, bytes] : all.live) {
    if (!guards_intact(reinterpret_cast<const unsigned char*>(at), bytes)) return "a kernel wrote beside an allocation";
  }
  return "";
}

void check_global(const void* at, std::int64_t bytes, const Where& where) {
  // Most accesses hit one of the last few allocations.
  struct Hit {
    std::uintptr_t first, end;
  };
  thread_local constinit std::array<Hit, 4> hits{};
  thread_local constinit std::uint64_t seen = 0;
  const auto from = reinterpret_cast<std::uintptr_t>(at), to = from + static_cast<std::uintptr_t>(bytes);
  if (seen != changes) hits.fill({}), seen = changes;
  for (const Hit& hit : hits) {
    if (from >= hit.first && to <= hit.end) return;
  }
  {
    Allocations& all = allocations();
    const std::lock_guard hold(all.lock);
    const auto next = all.live.upper_bound(from);
    if (next != all.live.begin()) {
      const auto found = std::prev(next);
      const std::uintptr_t past = found->first + static_cast<std::uintptr_t>(found->second);
      if (to <= past) {
        std::rotate(hits.begin(), hits.end() - 1, hits.end());
        hits[0] = {found->first, past};
        return;
      }
    }
  }
  fail(FaultKind::out_of_bounds_global, "reads or writes outside every allocation of the device", where);
}

}  // namespace diffcert::emulator
