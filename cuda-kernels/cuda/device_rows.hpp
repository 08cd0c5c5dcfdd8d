// Rows of votes on a device of kernels: inputs are made there, labels' shares come from a table, residuals are summed there.
#pragma once

#include <memory>
#include <vector>

#include "cuda/condition_table.hpp"
#include "cuda/graphs.hpp"
#include "ops/device.hpp"

namespace diffcert::cuda {

class DeviceRows final : public RowEngine {
 public:
  // steps: of the plan that was split; arena: [chunk] times split.rows' elements and the steps' scratch. All of them must stay. half: as Frame's.
  DeviceRows(std::shared_ptr<Device> device, const SplitPlan& split, const std::vector<Step>& steps, float* arena, std::int64_t chunk, bool half);

  void stage(const StagedSamples& samples) override;
  void run(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows, std::span<double> residuals) override;
  void reserve(std::int64_t places) override;
  void keep(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows) override;
  void votes(const Tally& tally) override;
  std::int64_t bytes() const;

 private:
  // Arrays that go down in one piece, each on 16 bytes.
  class Parcel {
   public:
    template <class T>
    std::int64_t add(std::span<const T> values);
    void send(const std::shared_ptr<Device>& device);
    template <class T>
    Span<const T> at(std::int64_t offset, std::size_t count) const {
      return {reinterpret_cast<const T*>(static_cast<const unsigned char*>(memory_.data()) + offset), static_cast<std::int64_t>(count)};
    }
    void clear() { bytes_.clear(); }
    std::int64_t size() const { return memory_.bytes(); }

   private:
    std::vector<unsigned char> bytes_;
    DeviceMemory memory_;
  };

  void check(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows) const;
  void run_chunk(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows, Span<double> residuals);
  // A place for so many numbers, kept if it is large enough.
  Span<double> place(DeviceMemory& memory, std::int64_t numbers) const;
  std::vector<RowCell> cells_of(std::span<const Row> rows) const;
  // Passes of the network are made of rows, or of cells where a head for each class gives all rows of a cell at once.
  bool shares_bodies() const { return split_.rows.heads > 1; }
  // The end of the rows from `from` on that go through the network at once.
  std::size_t chunk_end(std::span<const Row> rows, std::size_t from) const;

  std::shared_ptr<Device> device_;
  const SplitPlan& split_;
  const std::vector<Step>& steps_;
  float* arena_;
  std::int64_t chunk_, elements_;
  bool half_;
  ConditionTable table_;
  Graphs graphs_;
  // Of the samples at hand.
  StagedSamples staged_;
  Parcel samples_, batch_;
  Span<const NoiseKey> keys_;
  Span<const double> positions_, estimates_;
  DeviceMemory residuals_, kept_, cast_;  // of a batch; of all rows of votes; the votes and losses
  std::int64_t places_ = 0;
};

}  // namespace diffcert::cuda
