#include "emulator/fiber.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#if defined(__x86_64__) && !defined(DIFFCERT_UCONTEXT)
// void diffcert_fiber_switch(void** save, void* go): the registers that a call must keep (System V ABI), then the other stack.
asm(R"(
.text
.p2align 4
.local diffcert_fiber_switch
.type diffcert_fiber_switch, @function
diffcert_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size diffcert_fiber_switch, .-diffcert_fiber_switch
)");
extern "C" void diffcert_fiber_switch(void** save, void* go);
#endif

namespace diffcert::emulator {
namespace {

constexpr std::size_t kGuard = 4096;
thread_local Context* leaving = nullptr;  // who switched last, for AddressSanitizer's account of stacks

}  // namespace

// AddressSanitizer keeps a shadow of the stack in use and must be told when it changes.
void Context::arrived() {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
  if (leaving != nullptr && leaving->size_ == 0) leaving->bottom_ = bottom, leaving->size_ = size;
#endif
}

struct Arrival {
  static void at(Context& context) { context.arrived(); }
};

namespace {

thread_local Context* starting = nullptr;
thread_local void (*entry_of_next)() = nullptr;

[[noreturn]] void begin() {
  Arrival::at(*starting);
  entry_of_next();
  __builtin_unreachable();
}

}  // namespace

void Context::leave(Context& to, [[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, to.bottom_, to.size_);
#endif
  leaving = this;
  starting = &to;
#if defined(__x86_64__) && !defined(DIFFCERT_UCONTEXT)
  diffcert_fiber_switch(&stack_pointer_, to.stack_pointer_);
#else
  swapcontext(&context_, &to.context_);
#endif
  arrived();
}

void Context::start(void* stack, std::size_t bytes, void (*entry)()) {
  entry_of_next = entry;
  bottom_ = stack;
  size_ = bytes;
  fake_stack_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack, bytes);  // what a fiber that never returned has left
#endif
#if defined(__x86_64__) && !defined(DIFFCERT_UCONTEXT)
  // As after a call: begin's address is popped by ret, and the stack is then 8 past a multiple of 16.
  auto* top = reinterpret_cast<std::uintptr_t*>((reinterpret_cast<std::uintptr_t>(stack) + bytes) & ~std::uintptr_t{15});
  *--top = 0;
  *--top = reinterpret_cast<std::uintptr_t>(&begin);
  for (int i = 0; i < 6; ++i) *--top = 0;
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, reinterpret_cast<void (*)()>(&begin), 0);
#endif
}

Stacks::Stacks(int count) : count_(count) {
  void* memory = mmap(nullptr, static_cast<std::size_t>(count) * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<unsigned char*>(memory);
  for (int i = 0; i < count; ++i) mprotect(memory_ + static_cast<std::size_t>(i) * kBytes, kGuard, PROT_NONE);
}

Stacks::~Stacks() { munmap(memory_, static_cast<std::size_t>(count_) * kBytes); }

void* Stacks::at(int i) const { return memory_ + static_cast<std::size_t>(i) * kBytes + kGuard; }

}  // namespace diffcert::emulator
