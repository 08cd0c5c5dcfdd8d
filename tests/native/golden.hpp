// Reads tensors of a golden safetensors file by name; for tests, which trust their goldens.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

class Golden {
 public:
  // path: below the shared folder.
  explicit Golden(const std::string& path) : Golden("DIFFCERT_SHARED", "../shared", path) {}
  // path: below tests/native/vectors.
  static Golden vectors(const std::string& path) { return Golden("DIFFCERT_ROOT", ".", "tests/native/vectors/" + path); }

  // The numbers of one tensor; T has the size of its elements.
  template <class T>
  std::vector<T> read(const std::string& name) const {
    const auto at = header_.find('"' + name + "\":");
    if (at == std::string::npos) throw std::runtime_error("no tensor " + name);
    auto offsets = header_.find('[', header_.find("\"data_offsets\"", at)) + 1;
    std::size_t used = 0;
    const auto from = std::stoull(header_.substr(offsets, 40), &used);
    offsets = header_.find(',', offsets) + 1;
    const auto to = std::stoull(header_.substr(offsets, 40));
    std::vector<T> values((to - from) / sizeof(T));
    std::memcpy(values.data(), bytes_.data() + start_ + from, to - from);
    return values;
  }

 private:
  Golden(const char* folder, const char* otherwise, const std::string& path) {
    const char* given = std::getenv(folder);
    std::ifstream file((given != nullptr ? std::string(given) : otherwise) + "/" + path, std::ios::binary);
    if (!file) throw std::runtime_error("no golden " + path);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    header_.assign(bytes_.data() + 8, length);
    start_ = 8 + length;
  }

  std::string bytes_, header_;
  std::size_t start_ = 0;
};
