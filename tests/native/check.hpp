// How deep a test goes, and a check that counts: CHECK(condition) << context; prints file, line and text when it fails. finish() is main's return value.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

namespace check {
inline int passed = 0, failed = 0;

struct Result {
  bool ok;
  std::ostringstream text;
  Result(bool condition, const char* expression, const char* file, int line) : ok(condition) {
    if (ok) ++passed;
    else ++failed, text << file << ':' << line << ": " << expression << ' ';
  }
  template <class T>
  Result& operator<<(const T& value) {
    if (!ok) text << value;
    return *this;
  }
  ~Result() {
    if (!ok) std::cerr << text.str() << '\n';
  }
};

// DIFFCERT_DEPTH: 0 takes each path once (sanitizers, which are ten times slower), 1 is every change, 2 and more a night.
inline int depth() {
  const char* text = std::getenv("DIFFCERT_DEPTH");
  return text == nullptr ? 1 : std::atoi(text);
}

inline int finish() {
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
}  // namespace check

#define CHECK(condition) ::check::Result(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
