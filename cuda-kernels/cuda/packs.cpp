#include "cuda/packs.hpp"

#include "core/arena.hpp"
#include "core/status.hpp"

namespace diffcert::cuda {
namespace {

std::int32_t channels_of(const Feature (&features)[2]) {
  return (features[0].present() ? features[0].channels : 0) + (features[1].present() ? features[1].channels : 0);
}

}  // namespace

template <class T>
Span<T> Packs::room(std::int64_t count) {
  memory_.emplace_back(device_, checked_product(count, sizeof(T)));
  return {static_cast<T*>(memory_.back().data()), count};
}

Span<const float> Packs::sum(WeightId a, WeightId b) {
  if (a == kNone) return copy(b);
  const Span<float> out = room<float>(weights_->count(a));
  launches_.emplace_back([device = device_.get(), weights = weights_, a, b, out] {
    device->launch<Kernel::pack_plain>({blocks(out.count, kPackThreads)}, kPackThreads, 0,
                                       {{weights->at(a), static_cast<std::int32_t>(out.count), 1, 1, false}, weights->at(b), out});
  });
  return {out.data, out.count};
}

Span<const float> Packs::outputs_last(WeightId w, std::int32_t outputs, std::int32_t channels, std::int32_t taps, bool transposed) {
  invariant(weights_->count(w) == std::int64_t{1} * outputs * channels * taps, "a weight of another shape");
  const Span<float> out = room<float>(weights_->count(w));
  launches_.emplace_back([device = device_.get(), weights = weights_, w, outputs, channels, taps, transposed, out] {
    device->launch<Kernel::pack_plain>({blocks(out.count, kPackThreads)}, kPackThreads, 0, {{weights->at(w), outputs, channels, taps, transposed}, {}, out});
  });
  return {out.data, out.count};
}

Span<const Bf16> Packs::tensor(const ConvOp& op, std::int32_t side) {
  const auto width = static_cast<std::int32_t>(tensor_width(op.out.channels, tensor_outputs(op.out.channels)));
  return tiled(op, side, kTensorDepth, width, 1, 1);
}

Span<const Bf16> Packs::group(const ConvOp& op, std::int32_t side) {
  const int outputs = group_outputs(op.out.channels);
  return tiled(op, side, kGroupDepth, outputs, group_bands(op.out.channels, outputs), 8);
}

Span<const Bf16> Packs::tiled(const ConvOp& op, std::int32_t side, std::int32_t depth, std::int32_t band, std::int32_t bands, std::int32_t grain) {
  TensorPackParams params{};
  params.weight = {{}, op.out.channels, channels_of(op.src), op.kernel * op.kernel, op.transposed};
  params.skip = {{}, op.out.channels, channels_of(op.skip), 1, false};
  invariant(weights_->count(op.weight) == std::int64_t{1} * op.out.channels * params.weight.channels * params.weight.taps, "a weight of another shape");
  params.kernel = op.kernel, params.side = side;
  params.phases = op.up2 ? 4 : 1, params.bands = bands, params.depth = depth, params.band = band, params.grain = grain;
  const auto steps = [&](std::int32_t channels) { return (channels + depth - 1) / depth; };
  params.units = steps(params.weight.channels) * side * side + steps(params.skip.channels);
  params.out = room<Bf16>(checked_product(std::int64_t{1} * params.phases * bands * params.units, std::int64_t{1} * depth * band));
  launches_.emplace_back([device = device_.get(), weights = weights_, weight = op.weight, skip = op.skip_weight, params]() mutable {
    params.weight.values = weights->at(weight);
    if (params.skip.channels > 0) params.skip.values = weights->at(skip);
    device->launch<Kernel::pack_tensor>({blocks(params.out.count, kPackThreads)}, kPackThreads, 0, params);
  });
  return {params.out.data, params.out.count};
}

void Packs::run() const {
  for (const auto& launch : launches_) launch();
}

std::int64_t Packs::bytes() const {
  std::int64_t bytes = 0;
  for (const DeviceMemory& memory : memory_) bytes += memory.bytes();
  return bytes;
}

}  // namespace diffcert::cuda
