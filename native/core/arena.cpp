#include "core/arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "core/status.hpp"

namespace diffcert {
namespace {

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kHugePage = 2 * 1024 * 1024;

std::int64_t machine_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::int64_t>(pages) * page : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::int64_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product)) {
    throw Error(DC_OUT_OF_MEMORY, "The memory asked for is larger than any machine has.");
  }
  return product;
}

void* allocate_aligned(std::int64_t bytes) {
  invariant(bytes >= 0, "a negative size of memory");
  // Weights are read from end to end again and again: in huge pages, where the system gives them, that spares the page walks.
  const std::int64_t unit = bytes >= 4 * kHugePage ? kHugePage : kLine;
  const std::int64_t whole = bytes <= std::numeric_limits<std::int64_t>::max() - unit
                                 ? (bytes + unit) / unit * unit  // at least one line, so that no result is null
                                 : bytes;
  void* memory = whole > machine_memory()
                     ? nullptr
                     : std::aligned_alloc(static_cast<std::size_t>(unit), static_cast<std::size_t>(whole));
  if (memory == nullptr) {
    throw Error(DC_OUT_OF_MEMORY, "There is not enough memory for " + std::to_string(bytes / (1024 * 1024)) +
                                      " MiB; a smaller batch or network needs less.");
  }
  if (unit == kHugePage) madvise(memory, static_cast<std::size_t>(whole), MADV_HUGEPAGE);  // a wish; refusal is no failure
  std::memset(memory, 0, static_cast<std::size_t>(whole));
  return memory;
}

void free_aligned(void* memory) noexcept { std::free(memory); }

}  // namespace diffcert
