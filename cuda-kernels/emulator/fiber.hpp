// A fiber: a stack and a place to go on from. The emulator gives each thread of a block one, and switches between them by hand.
//
// On x86-64 a switch is our own dozen instructions (about 2 ns); elsewhere it is ucontext, which asks the kernel for the signal mask
// each time and is slow, and right; DIFFCERT_UCONTEXT chooses it, for its test.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(DIFFCERT_UCONTEXT)
#include <ucontext.h>
#endif

namespace diffcert::emulator {

// Where a fiber, or the loop that runs the fibers, goes on.
class Context {
 public:
  // Goes on at `to`; comes back when somebody switches to this context.
  void switch_to(Context& to) { leave(to, false); }
  // The same, never to come back.
  [[noreturn]] void finish(Context& to) {
    leave(to, true);
    __builtin_unreachable();
  }
  // Makes this context start entry() on the stack [stack, stack + bytes) when it is switched to; entry must never return.
  void start(void* stack, std::size_t bytes, void (*entry)());

 private:
#if defined(__x86_64__) && !defined(DIFFCERT_UCONTEXT)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
  void leave(Context& to, bool for_good);
  void arrived();
  void* fake_stack_ = nullptr;  // AddressSanitizer's
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  friend struct Arrival;
};

// Stacks for `count` fibers in one mapping, each with an unreadable page below it.
class Stacks {
 public:
  explicit Stacks(int count);
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  static constexpr std::size_t kBytes = 64 << 10;
  int count() const { return count_; }
  void* at(int i) const;

 private:
  int count_;
  unsigned char* memory_;
};

}  // namespace diffcert::emulator
