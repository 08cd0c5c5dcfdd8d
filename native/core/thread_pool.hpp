// A fixed set of threads with a static partition of the work: who does what depends on the counts alone, so that nothing about a
// run's timing can reach its result.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace diffcert {

// Runs a body on all its threads; the calling thread is number 0 and takes part. One run at a time, no run inside a run.
class ThreadPool {
 public:
  // threads <= 0: one a core.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // body(thread) on every thread; returns when all are done. An exception of the lowest thread is thrown again here.
  template <class Body>
  void run(Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    dispatch([](void* context, int thread) { (*static_cast<Plain*>(context))(thread); },
             const_cast<void*>(static_cast<const void*>(std::addressof(body))));
  }

  // body(from, to, thread) on contiguous shares of [0, count): share t is [count * t / T, count * (t + 1) / T); empty ones are
  // left out.
  template <class Body>
  void parallel_for(std::int64_t count, Body&& body) {
    const std::int64_t all = threads();
    run([&](int thread) {
      const std::int64_t from = count * thread / all, to = count * (thread + 1) / all;
      if (from < to) body(from, to, thread);
    });
  }

 private:
  using Call = void (*)(void* context, int thread);
  void dispatch(Call call, void* context);
  void work(int thread);

  int looks_ = 0;  // before a waiter sleeps
  Call call_ = nullptr;
  void* context_ = nullptr;
  std::atomic<std::uint32_t> round_{0};    // raised once a run; workers wait for it
  std::atomic<std::int32_t> working_{0};   // workers not yet done with this round
  std::atomic<bool> closing_{false};
  std::vector<std::exception_ptr> failures_;
  std::vector<std::thread> workers_;
};

}  // namespace diffcert
