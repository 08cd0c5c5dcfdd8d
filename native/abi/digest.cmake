# Writes OUTPUT, a header with a 64-bit digest (hex) of all native sources under ROOT and of the compiler (FLAGS).
# Run at build time, when a source has changed. Paths count relative to ROOT, so that the place of the checkout does not.
file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/*.cpp ${ROOT}/*.hpp ${ROOT}/*.h ${ROOT}/*.txt)
list(FILTER files EXCLUDE REGEX "^bench/")
list(SORT files)
set(lines "${FLAGS}\n")
foreach(file ${files})
  file(SHA256 ${ROOT}/${file} digest)
  string(APPEND lines "${file} ${digest}\n")
endforeach()
string(SHA256 digest "${lines}")
string(SUBSTRING ${digest} 0 16 digest)
file(WRITE ${OUTPUT} "// Made by abi/digest.cmake.\n#pragma once\n#define DIFFCERT_BUILD_DIGEST \"${digest}\"\n")
