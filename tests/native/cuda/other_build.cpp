// A library of kernels that differs from this build in one thing (OTHER_SOURCE, OTHER_VERSION or OTHER_KERNELS), and can do nothing: the core must
// refuse it before it calls it.
#include "cuda/backend.h"
#include "diffcert_digest.hpp"
#include "kernels/kernel_list.hpp"

namespace {

const dc_backend backend = [] {
  dc_backend table{};
  table.version = DC_BACKEND_VERSION;
  table.kernels = diffcert::kernel_list_digest();
  table.source = DIFFCERT_SOURCE_DIGEST;
#if defined(OTHER_SOURCE)
  table.source = "0123456789abcdef";
#elif defined(OTHER_VERSION)
  table.version -= 1;
  table.source = nullptr;
#elif defined(OTHER_KERNELS)
  table.kernels += 1;
#endif
  return table;
}();

}  // namespace

extern "C" __attribute__((visibility("default"))) const dc_backend* diffcert_backend() { return &backend; }
