// Rows' shares of the embedding and affine tables.
//
// Why a copy: the ops that use an embedding read it as they read any buffer of a row, so a table needs no other form of them; one launch takes the
// place of the 35 small products that the published CIFAR-10 network has.
#include "kernels/device.cuh"
#include "kernels/smxx_table.hpp"

namespace diffcert {

DC_KERNEL(gather, GatherParams, kGatherThreads) {
  const TablePart part = Global<const TablePart>(p.parts)[blockIdx.x];
  const TablePlace place = Global<const TablePlace>(p.places)[blockIdx.y];
  const Global<const float> from = Global<const float>(p.table).part(
      place.first + part.offset * place.count + std::int64_t{1} * place.entry * part.elements, part.elements);
  const Global<float> to = Global<float>(part.to).part(std::int64_t{1} * blockIdx.y * part.elements, part.elements);
  for (int i = static_cast<int>(threadIdx.x); i < part.elements; i += kGatherThreads) to[i] = from[i];
}

}  // namespace diffcert
