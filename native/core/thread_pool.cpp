#include "core/thread_pool.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/status.hpp"

namespace diffcert {
namespace {
constexpr int kMostThreads = 1024;

// A network is some hundred short rounds; sleeping and waking between them costs more than small ones last. So a waiter first looks
// for about 20 microseconds, then sleeps.
constexpr int kLooks = 1000;

inline void rest() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

template <class Value>
void wait_while(const std::atomic<Value>& atomic, Value old, int looks) {
  for (int look = 0; look < looks; ++look) {
    if (atomic.load() != old) return;
    rest();
  }
  atomic.wait(old);
}
}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  require(threads <= kMostThreads, "The number of threads must be at most 1024.");
  looks_ = threads <= static_cast<int>(std::thread::hardware_concurrency()) ? kLooks : 0;  // else a waiter keeps a worker out
  failures_.resize(static_cast<std::size_t>(threads));
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error&) {
    closing_ = true;
    ++round_;
    round_.notify_all();
    for (auto& worker : workers_) worker.join();
    throw Error(DC_OUT_OF_MEMORY, "The system refuses to start " + std::to_string(threads) + " threads.");
  }
}

ThreadPool::~ThreadPool() {
  closing_ = true;
  ++round_;
  round_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::dispatch(Call call, void* context) {
  call_ = call;
  context_ = context;
  std::fill(failures_.begin(), failures_.end(), nullptr);
  working_.store(static_cast<std::int32_t>(workers_.size()));
  if (!workers_.empty()) {
    ++round_;
    round_.notify_all();
  }
  try {
    call(context, 0);
  } catch (...) {
    failures_[0] = std::current_exception();
  }
  for (auto left = working_.load(); left != 0; left = working_.load()) wait_while(working_, left, looks_);
  for (const auto& failure : failures_) {
    if (failure) std::rethrow_exception(failure);
  }
}

void ThreadPool::work(int thread) {
  for (std::uint32_t seen = 0;;) {
    wait_while(round_, seen, looks_);
    seen = round_.load();
    if (closing_) return;
    try {
      call_(context_, thread);
    } catch (...) {
      failures_[static_cast<std::size_t>(thread)] = std::current_exception();
    }
    if (working_.fetch_sub(1) == 1) working_.notify_one();
  }
}

}  // namespace diffcert
