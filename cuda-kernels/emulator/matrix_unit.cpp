// The matrix units of warpgroups: products of matrices that descriptors name, made when somebody waits for them.
//
// A descriptor (64 bits): the first byte's address in bits 0-13, the leading dimension's stride in 16-29, the other's in 32-45, each in units of
// 16 bytes; bits 49-51 a base offset and 62-63 a swizzle, both zero in the layouts that the kernels use. Without a swizzle a matrix lies in
// core matrices of 8 rows by 16 bytes, 128 bytes in one piece; for operands whose depth is contiguous (all of ours) the leading stride leads to
// the next 8 of the depth and the other to the next 8 rows (of b: columns).
#include "emulator/async.hpp"
#include "kernels/bf16.cuh"

#include <cstring>
#include <iterator>

namespace diffcert::emulator {
namespace {

constexpr int kRows = 64, kDepth = 16;

struct Layout {
  std::int64_t start, leading, stride;
  explicit Layout(std::uint64_t d)
      : start(static_cast<std::int64_t>(d & 0x3fff) * 16), leading(static_cast<std::int64_t>(d >> 16 & 0x3fff) * 16),
        stride(static_cast<std::int64_t>(d >> 32 & 0x3fff) * 16) {}
  // The 8 elements of depth 8 half and on, of a row.
  std::int64_t at(int row, int half) const { return start + row / 8 * stride + row % 8 * 16 + half * leading; }
};

void read(std::uint64_t descriptor, int rows, float* out) {
  const Layout layout(descriptor);
  for (int row = 0; row < rows; ++row) {
    for (int k = 0; k < kDepth; ++k) {
      Bf16 value;
      std::memcpy(&value, shared_memory() + layout.at(row, k / 8) + k % 8 * 2, sizeof value);
      out[row * kDepth + k] = to_float(value);
    }
  }
}

}  // namespace

// Products are exact, the 16 of a step summed in double and rounded once, then added: hardware rounds elsewhere within a step.
void Async::make(const Product& product, const std::array<float*, kWarpgroup>& c) {
  const auto columns = static_cast<std::size_t>(product.columns);
  auto& [a, b, turned, sums] = operands_;
  a.resize(kRows * kDepth), b.resize(columns * kDepth), turned.resize(kDepth * columns);
  read(product.a, kRows, a.data());
  read(product.b, product.columns, b.data());
  for (std::size_t n = 0; n < columns; ++n) {
    for (std::size_t k = 0; k < kDepth; ++k) turned[k * columns + n] = static_cast<double>(b[n * kDepth + k]);
  }
  for (int row = 0; row < kRows; ++row) {
    sums.assign(columns, 0.0);
    for (std::size_t k = 0; k < kDepth; ++k) {
      const auto v = static_cast<double>(a[static_cast<std::size_t>(row) * kDepth + k]);
      for (std::size_t n = 0; n < columns; ++n) sums[n] += v * turned[k * columns + n];
    }
    // Row `row` is of warp row / 16; its lane 4 (row mod 8) + id has columns 8 j + 2 id and the next, in registers 4 j + 2 (row / 8 mod 2).
    for (int n = 0; n < product.columns; ++n) {
      float& out = c[static_cast<std::size_t>(row / 16 * kWarp + row % 8 * 4 + n % 8 / 2)][n / 8 * 4 + row / 8 % 2 * 2 + n % 2];
      out = static_cast<float>((product.add ? static_cast<double>(out) : 0.0) + sums[static_cast<std::size_t>(n)]);
    }
  }
}

void Async::note_operand(char operand, std::uint64_t descriptor, int rows, int unit, const Clock& known, const Where& where) {
  const std::string whose = std::string("of matrix ") + operand;
  if ((descriptor >> 46) != 0) fail(FaultKind::bad_descriptor, "has a descriptor " + whose + " with a swizzle or offset, which is not modelled", where);
  const Layout layout(descriptor);
  const auto next = arrays_.upper_bound(layout.start);
  if (next == arrays_.begin()) fail(FaultKind::bad_descriptor, "has a descriptor " + whose + " that is in no array", where);
  const auto& [first, array] = *std::prev(next);
  for (int row = 0; row < rows; ++row) {
    for (int half = 0; half < 2; ++half) {
      const std::int64_t at = layout.at(row, half);
      if (at + 16 > first + array.bytes) {
        fail(FaultKind::out_of_bounds_shared, "multiplies row " + std::to_string(row) + ' ' + whose + " at byte " + std::to_string(at - first) + " of " +
                                                  std::to_string(array.bytes) + " of '" + array.name + "'", where);
      }
      const Shadow::Finding finding = shadow_.note_unit(at, 16, sizeof(Bf16), Access::read, unit, -1, known);
      if (finding.verdict != Shadow::Verdict::fine) judge(finding, 16, Access::read, array.name, where);
    }
  }
}

std::uint32_t Async::multiply(int group, const Product& product, const std::array<float*, kWarpgroup>& c, const Where& where) {
  const int unit = shadow_.unit(1 + group);
  const Clock& known = shadow_.common(group * kWarpgroup, kWarpgroup);
  note_operand('a', product.a, kRows, unit, known, where);
  note_operand('b', product.b, product.columns, unit, known, where);
  const std::uint32_t epoch = shadow_.finish_unit(unit);
  units_[static_cast<std::size_t>(group)].pending.push_back({epoch, product, c});
  return epoch;
}

void Async::commit(int warp) {
  Unit& unit = units_[static_cast<std::size_t>(warp / 4)];
  unit.groups[static_cast<std::size_t>(warp % 4)].push_back(shadow_.epoch(shadow_.unit(1 + warp / 4)) - 1);
}

void Async::wait(int warp, int pending) {
  Unit& unit = units_[static_cast<std::size_t>(warp / 4)];
  auto& groups = unit.groups[static_cast<std::size_t>(warp % 4)];
  if (groups.size() <= static_cast<std::size_t>(pending)) return;
  const std::uint32_t done = groups[groups.size() - 1 - static_cast<std::size_t>(pending)];
  while (!unit.pending.empty() && unit.pending.front().epoch <= done) {
    make(unit.pending.front().product, unit.pending.front().c);
    unit.pending.erase(unit.pending.begin());
  }
  for (int lane = 0; lane < kWarp; ++lane) shadow_.learn(warp * kWarp + lane, shadow_.unit(1 + warp / 4), done);
}

}  // namespace diffcert::emulator
