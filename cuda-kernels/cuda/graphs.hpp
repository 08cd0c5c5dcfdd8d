// The launches of one plan as graphs, one a batch size: a plan of some two hundred launches is then handed to the driver at once.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "cuda/device_library.hpp"

namespace diffcert::cuda {

// The first run of a size launches step by step, so that an error names its kernel and a size that never comes again costs no graph; the
// second is captured and replayed, later ones are replayed. The sizes used last are kept.
class Graphs {
 public:
  static constexpr std::size_t kMost = 16;

  // launches must launch the same for the same size, with the same parameters.
  void run(Device& device, std::int64_t size, const std::function<void()>& launches) {
    auto entry = entries_.begin();
    while (entry != entries_.end() && entry->size != size) ++entry;
    if (entry == entries_.end()) {
      launches();
      entries_.push_front({size, std::nullopt});
      if (entries_.size() > kMost) entries_.pop_back();
      return;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    if (!entry->graph) entry->graph = device.capture(launches);
    device.replay(*entry->graph);
  }

  void clear() { entries_.clear(); }

 private:
  struct Entry {
    std::int64_t size;
    std::optional<DeviceGraph> graph;
  };
  std::list<Entry> entries_;
};

}  // namespace diffcert::cuda
