// The core's own promises: the partition of the thread pool, its exceptions, and memory that is refused instead of
// lost.
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "core/arena.hpp"
#include "core/status.hpp"
#include "core/thread_pool.hpp"

using namespace diffcert;

namespace {

void partition() {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const std::int64_t count : {0, 1, 2, 5, 7, 61, 1000}) {
      std::vector<int> times(static_cast<std::size_t>(count), 0), who(static_cast<std::size_t>(count), -1);
      pool.parallel_for(count, [&](std::int64_t from, std::int64_t to, int thread) {
        for (std::int64_t i = from; i < to; ++i)
          ++times[static_cast<std::size_t>(i)], who[static_cast<std::size_t>(i)] = thread;
      });
      for (std::int64_t i = 0; i < count; ++i) {
        CHECK(times[static_cast<std::size_t>(i)] == 1) << i << " of " << count << " on " << threads;
        const std::int64_t thread = who[static_cast<std::size_t>(i)];
        CHECK(count * thread / threads <= i && i < count * (thread + 1) / threads)
            << i << " of " << count << " on " << threads;
      }
    }
  }
}

void many_rounds() {
  ThreadPool pool(4);
  std::vector<std::int64_t> sums(4, 0);
  for (std::int64_t round = 0; round < 2000; ++round) {
    pool.run([&](int thread) { sums[static_cast<std::size_t>(thread)] += round; });
  }
  for (const std::int64_t sum : sums)
    CHECK(sum == 1999 * 1000) << sum;
}

void exceptions() {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    std::string caught;
    try {
      pool.run([](int thread) {
        if (thread > 0) throw std::runtime_error("thread " + std::to_string(thread));
      });
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    CHECK(caught == "thread 1") << caught;
  }
  int runs = 0;
  pool.run([&](int thread) { runs += thread == 0; });
  CHECK(runs == 1);
}

template <class Body>
dc_status status_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.status;
  }
  return DC_OK;
}

void memory() {
  AlignedBuffer<float> small(3);
  CHECK(reinterpret_cast<std::uintptr_t>(small.data()) % 64 == 0 && small[0] == 0 && small[2] == 0 &&
        small.bytes() == 12);
  CHECK(AlignedBuffer<double>(0).size() == 0);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(status_of([&] { AlignedBuffer<float> b(std::int64_t{1} << 45); }) == DC_OUT_OF_MEMORY);
  CHECK(status_of([&] { AlignedBuffer<float> b(most); }) == DC_OUT_OF_MEMORY);
  CHECK(status_of([&] { AlignedBuffer<char> b(most); }) == DC_OUT_OF_MEMORY);
  CHECK(status_of([&] { checked_product(most, 2); }) == DC_OUT_OF_MEMORY);
  CHECK(checked_product(most, 1) == most && checked_product(0, most) == 0);
  CHECK(status_of([] { ThreadPool pool(5000); }) == DC_BAD_ARGUMENT);
}

}  // namespace

int main() {
  partition();
  many_rounds();
  exceptions();
  memory();
  return check::finish();
}
