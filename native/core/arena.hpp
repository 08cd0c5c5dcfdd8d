// Memory of the core: aligned, sized once, counted, and refused with DC_OUT_OF_MEMORY instead of thrown as bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace diffcert {

// a * b as a size, or DC_OUT_OF_MEMORY when it does not fit 63 bits; both are non-negative.
std::int64_t checked_product(std::int64_t a, std::int64_t b);

// Bytes on a cache line boundary, zeroed. Throws DC_OUT_OF_MEMORY, also for more than the machine's whole memory: Linux would
// promise that much and end the process later.
void* allocate_aligned(std::int64_t bytes);
void free_aligned(void* memory) noexcept;

// An array of plain numbers on a cache line boundary, zeroed when made.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::int64_t count)
      : memory_(static_cast<T*>(allocate_aligned(checked_product(count, sizeof(T))))), size_(count) {}
  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  std::int64_t size() const { return size_; }
  std::int64_t bytes() const { return size_ * static_cast<std::int64_t>(sizeof(T)); }
  T& operator[](std::int64_t i) { return memory_.get()[i]; }
  const T& operator[](std::int64_t i) const { return memory_.get()[i]; }

 private:
  struct Free {
    void operator()(T* memory) const noexcept { free_aligned(memory); }
  };
  std::unique_ptr<T[], Free> memory_;
  std::int64_t size_ = 0;
};

}  // namespace diffcert
