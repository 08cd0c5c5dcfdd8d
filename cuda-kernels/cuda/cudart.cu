// libdiffcert-cuda.so: the backend's table over the CUDA runtime (linked statically, so that only the driver is needed).
#include <cuda_runtime.h>

#include <cstdio>
#include <string>

#include "cuda/backend.h"
#include "core/status.hpp"
#include "diffcert_digest.hpp"
#include "kernels/kernel_list.hpp"

namespace diffcert {

#define X(name, Params) __global__ void name(const __grid_constant__ Params p);
DIFFCERT_KERNELS(X)
#undef X

namespace {

struct Entry {
  const char* name;
  const void* function;
};

const Entry kernels[] = {
#define X(name, Params) {#name, reinterpret_cast<const void*>(static_cast<void (*)(Params)>(&name))},
    DIFFCERT_KERNELS(X)
#undef X
};
constexpr std::int64_t kFreeShared = 48 << 10;  // above it a kernel must be told once

struct Context {
  int device = 0;
  cudaStream_t stream = nullptr;
  cudaEvent_t marks[2] = {};
};

thread_local std::string text;

// What a CUDA call means to the core. An error of an earlier kernel is found by whichever call comes next.
int status_of(cudaError_t error, const char* name = nullptr) {
  if (error == cudaSuccess) return DC_OK;
  text = "CUDA error " + std::to_string(static_cast<int>(error)) + ", " + cudaGetErrorString(error);
  if (name != nullptr) text += std::string(" (kernel ") + name + ")";
  cudaGetLastError();  // a sticky error stays; any other must not be reported again
  switch (error) {
    case cudaErrorMemoryAllocation: return DC_OUT_OF_MEMORY;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable: return DC_DEVICE_UNAVAILABLE;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration: return DC_INTERNAL;
    default: return DC_DEVICE_LOST;
  }
}

Context& of(void* context) { return *static_cast<Context*>(context); }

void close(void* context) {
  Context& c = of(context);
  cudaSetDevice(c.device);
  for (const cudaEvent_t mark : c.marks) {
    if (mark != nullptr) cudaEventDestroy(mark);
  }
  if (c.stream != nullptr) cudaStreamDestroy(c.stream);
  delete &c;
}

// Whether there is code for the current device, compiled or as PTX that the driver can compile; without it every launch would fail.
int check_code(int device) {
  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, kernels[0].function);
  if (error != cudaErrorNoKernelImageForDevice && error != cudaErrorInvalidDeviceFunction && error != cudaErrorUnsupportedPtxVersion) return status_of(error);
  cudaGetLastError();
  int major = 0, minor = 0;
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  text = "it has compute capability " + std::to_string(major) + "." + std::to_string(minor) +
         ", for which no kernel was compiled; build diffcert with -Dcuda.architectures=" + std::to_string(10 * major + minor) + ", or use the device cpu";
  return DC_DEVICE_UNAVAILABLE;
}

int open(std::int32_t device, void** context) {
  auto* c = new Context{device};
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking);
  for (cudaEvent_t& mark : c->marks) {
    if (error == cudaSuccess) error = cudaEventCreate(&mark);
  }
  const int status = error == cudaSuccess ? check_code(device) : status_of(error);
  if (status != DC_OK) {
    close(c);
    return status;
  }
  *context = c;
  return DC_OK;
}

int properties(void* context, dc_backend_properties* p) {
  cudaDeviceProp prop{};
  std::size_t free = 0, total = 0;
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&prop, of(context).device);
  if (error == cudaSuccess) error = cudaMemGetInfo(&free, &total);
  if (error != cudaSuccess) return status_of(error);
  std::snprintf(p->name, sizeof p->name, "%s", prop.name);
  p->memory = static_cast<std::int64_t>(total);
  p->free = static_cast<std::int64_t>(free);
  p->compute = 10 * prop.major + prop.minor;
  p->processors = prop.multiProcessorCount;
  return DC_OK;
}

int allocate(void* context, std::int64_t bytes, void** memory) {
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess) error = cudaMalloc(memory, static_cast<std::size_t>(bytes));
  return status_of(error);
}

int release(void* context, void* memory) {
  cudaSetDevice(of(context).device);
  return status_of(cudaFree(memory));
}

// Portable: page-locked for every device, since a buffer may outlive the device that was current.
int allocate_host(void* context, std::int64_t bytes, void** memory) {
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess) error = cudaHostAlloc(memory, static_cast<std::size_t>(bytes), cudaHostAllocPortable);
  return status_of(error);
}

int check_memory(void* context, const void* memory, std::int64_t bytes) {
  for (const void* at : {memory, static_cast<const void*>(static_cast<const char*>(memory) + bytes - 1)}) {
    cudaPointerAttributes attributes{};
    const cudaError_t error = cudaPointerGetAttributes(&attributes, at);
    if (error != cudaSuccess) return status_of(error);
    const bool ours = attributes.type == cudaMemoryTypeManaged || (attributes.type == cudaMemoryTypeDevice && attributes.device == of(context).device);
    if (!ours) {
      text = "the address is not in its memory";
      return DC_BAD_ARGUMENT;
    }
  }
  return DC_OK;
}

int begin_capture(void* context) {
  cudaError_t error = cudaSetDevice(of(context).device);
  // Of this thread alone: what other threads ask of other devices has no part in it.
  if (error == cudaSuccess) error = cudaStreamBeginCapture(of(context).stream, cudaStreamCaptureModeThreadLocal);
  return status_of(error);
}

int end_capture(void* context, void** graph) {
  cudaGraph_t captured = nullptr;
  cudaError_t error = cudaStreamEndCapture(of(context).stream, &captured);
  cudaGraphExec_t ready = nullptr;
  if (error == cudaSuccess) error = cudaGraphInstantiate(&ready, captured, 0);
  if (captured != nullptr) cudaGraphDestroy(captured);
  *graph = ready;
  return status_of(error);
}

int replay(void* context, void* graph) {
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess) error = cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), of(context).stream);
  return status_of(error, "of a graph");
}

int synchronize(void* context) { return status_of(cudaStreamSynchronize(of(context).stream)); }

// The runtime itself waits where the host's memory is not page-locked.
int copy(void* context, void* to, const void* from, std::int64_t bytes, cudaMemcpyKind kind) {
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess) error = cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, of(context).stream);
  return status_of(error);
}

int launch(void* context, std::int32_t kernel, const std::uint32_t grid[3], const std::uint32_t block[3], std::int64_t shared_bytes,
           const void* params) {
  const Entry& entry = kernels[kernel];
  cudaError_t error = cudaSetDevice(of(context).device);
  if (error == cudaSuccess && shared_bytes > kFreeShared) {
    error = cudaFuncSetAttribute(entry.function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  }
  if (error == cudaSuccess) {
    void* arguments[] = {const_cast<void*>(params)};
    error = cudaLaunchKernel(entry.function, dim3(grid[0], grid[1], grid[2]), dim3(block[0], block[1], block[2]), arguments,
                             static_cast<std::size_t>(shared_bytes), of(context).stream);
  }
  return status_of(error, entry.name);
}

const dc_backend backend = {
    DC_BACKEND_VERSION,
    kernel_list_digest(),
    DIFFCERT_SOURCE_DIGEST,
    [] { return text.c_str(); },
    [](std::int32_t* count) -> int { return status_of(cudaGetDeviceCount(count)); },
    open,
    close,
    properties,
    allocate,
    release,
    check_memory,
    allocate_host,
    [](void*, void* memory) -> int { return status_of(cudaFreeHost(memory)); },
    [](void* context, void* to, const void* from, std::int64_t bytes) -> int { return copy(context, to, from, bytes, cudaMemcpyHostToDevice); },
    [](void* context, void* to, const void* from, std::int64_t bytes) -> int {
      const int status = copy(context, to, from, bytes, cudaMemcpyDeviceToHost);
      return status == DC_OK ? synchronize(context) : status;
    },
    launch,
    synchronize,
    begin_capture,
    end_capture,
    replay,
    [](void*, void* graph) -> int { return status_of(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph))); },
    [](void* context, std::int32_t which) -> int { return status_of(cudaEventRecord(of(context).marks[which != 0], of(context).stream)); },
    [](void* context, float* milliseconds) -> int {
      const cudaError_t error = cudaEventSynchronize(of(context).marks[1]);
      return status_of(error == cudaSuccess ? cudaEventElapsedTime(milliseconds, of(context).marks[0], of(context).marks[1]) : error);
    },
};

}  // namespace
}  // namespace diffcert

extern "C" __attribute__((visibility("default"))) const dc_backend* diffcert_backend() { return &diffcert::backend; }
