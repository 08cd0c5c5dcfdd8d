#include "core/thread_pool.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/status.hpp"

namespace diffcert {
namespace {
constexpr int kMostThreads = 1024;
}

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  require(threads <= kMostThreads, "The number of threads must be at most 1024.");
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
  for (auto left = working_.load(); left != 0; left = working_.load()) working_.wait(left);
  for (const auto& failure : failures_) {
    if (failure) std::rethrow_exception(failure);
  }
}

void ThreadPool::work(int thread) {
  for (std::uint32_t seen = 0;;) {
    round_.wait(seen);
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
