/* What a library of kernels is to the core: a table of C functions behind one entry point, found with dlopen. libdiffcert-cuda.so
 * implements it with the CUDA runtime, libdiffcert-emulator.so on the CPU; the core links neither. Plain C, so that the two sides
 * need not share a C++ runtime, and no exception crosses.
 *
 * Functions return a dc_status; the sentence's middle is in error_text of the same thread ("CUDA error 2: out of memory"). A context is used by
 * one thread at a time. Work is asynchronous and in order on the context's stream (each context has its own); download and synchronize
 * wait, and so does an upload from memory that is not of allocate_host. */
#ifndef DIFFCERT_BACKEND_H
#define DIFFCERT_BACKEND_H

#include <stdint.h>

#define DC_BACKEND_VERSION 4
#define DC_BACKEND_ENTRY "diffcert_backend"

typedef struct dc_backend_properties {
  char name[256];          /* as the driver gives it */
  int64_t memory, free;    /* bytes */
  int32_t compute;         /* 10 * major + minor; the emulator says 0 */
  int32_t processors;      /* multiprocessors */
} dc_backend_properties;

typedef struct dc_backend {
  uint32_t version;        /* DC_BACKEND_VERSION */
  uint64_t kernels;        /* kernel_list_digest(): the structs' sizes as this library's compiler sees them */
  const char* source;      /* DIFFCERT_SOURCE_DIGEST: of the sources that it was built from */
  const char* (*error_text)(void);
  int (*device_count)(int32_t* count);
  int (*open)(int32_t device, void** context);
  void (*close)(void* context);
  int (*properties)(void* context, dc_backend_properties* properties);
  int (*allocate)(void* context, int64_t bytes, void** memory);
  int (*release)(void* context, void* memory);
  /* Whether [memory, memory + bytes) is memory of this device, as far as can be told: for addresses that callers bring. */
  int (*check_memory)(void* context, const void* memory, int64_t bytes);
  /* Page-locked memory of the host: an upload from it does not wait, so what it holds must stay until the next synchronize or download. */
  int (*allocate_host)(void* context, int64_t bytes, void** memory);
  int (*release_host)(void* context, void* memory);
  int (*upload)(void* context, void* to, const void* from, int64_t bytes);
  int (*download)(void* context, void* to, const void* from, int64_t bytes);
  int (*launch)(void* context, int32_t kernel, const uint32_t grid[3], const uint32_t block[3], int64_t shared_bytes, const void* params);
  int (*synchronize)(void* context);
  /* Launches between the two are not carried out but kept, with their parameters, as a graph; nothing else may be asked for in between. */
  int (*begin_capture)(void* context);
  int (*end_capture)(void* context, void** graph);
  int (*replay)(void* context, void* graph);
  int (*release_graph)(void* context, void* graph);
  /* Milliseconds on the device between two marks of the stream, for benchmarks. */
  int (*mark)(void* context, int32_t which);
  int (*elapsed)(void* context, float* milliseconds);
} dc_backend;

typedef const dc_backend* (*dc_backend_entry)(void);

#endif
