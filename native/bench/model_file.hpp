// Reads the files that checks on a GPU machine need, where there is no Java: safetensors with a network's configuration in their metadata, and MNIST's
// images. For files of our own; what strangers write is read by org.diffcert.file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "unet/network.hpp"

namespace diffcert::bench {

class TensorFile {
 public:
  // Throws DC_BAD_ARGUMENT with the path.
  explicit TensorFile(const std::string& path);
  bool has(const std::string& name) const { return entries_.count(name) != 0; }
  // F32 or I64 as numbers of T.
  template <class T>
  std::vector<T> values(const std::string& name) const;
  std::vector<std::int64_t> shape(const std::string& name) const { return entry(name).shape; }
  // The configuration in the metadata, with the published defaults.
  dc_network_config config() const;
  // Gives a network all its tensors.
  void fill(Network& network) const;

 private:
  struct Entry {
    std::string type;
    std::vector<std::int64_t> shape;
    std::int64_t begin = 0, end = 0;
  };
  const Entry& entry(const std::string& name) const;

  std::string path_, data_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

// The first `count` images of an idx file that is not compressed, 28 x 28 bytes each.
std::vector<std::vector<std::uint8_t>> mnist_images(const std::string& path, std::int64_t count);

}  // namespace diffcert::bench
