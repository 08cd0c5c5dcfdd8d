// The op table's cases, listed once: what the tests of every device, the emulator and the GPU check run.
//
// A case is a plan of one op with random weights. Every buffer is a slice of the plan's image, which is also its output, so a case
// runs through the Executor's own door; what the op must write is NaN before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "ops/device.hpp"

namespace diffcert::bench {

struct OpCase {
  std::string name;
  Plan plan;
  std::vector<std::vector<float>> weights;
  std::vector<float> image;
  std::vector<BufferId> written;  // by the op
  WeightId learnt = kNone;        // whose gradient the op adds to; then there is nothing written
  std::int64_t depth = 1;         // terms of the longest sum behind a written number
  bool half = false;              // for a device that keeps feature maps in bf16
};

// Every op in every form that a plan can ask for, at small, ragged and prime sizes.
std::vector<OpCase> op_cases();

// The ops of the backward direction, likewise; adjoints of convolutions and linear maps among them.
std::vector<OpCase> backward_cases();

// The convolution shapes among them, by name.
struct NamedShape {
  std::string name;
  ConvShape shape;
};
std::vector<NamedShape> conv_shapes();

// The case with feature maps rounded to bf16, for the form of that name; what follows converts on the way to the device and back.
OpCase in_bf16(OpCase c);

// The images after the op of several samples in one batch, on `executor` (weights not yet set); sample 0 is the case's own image, the others are scaled.
std::vector<std::vector<float>> run_batch(const OpCase& c, Executor& executor, const std::vector<int>& samples);
// The same in two steps: weights and room for so many samples, then a batch; what is learnt adds up over batches.
void give_case(const OpCase& c, Executor& executor, std::int64_t samples);
std::vector<std::vector<float>> run_rows(const OpCase& c, Executor& executor, const std::vector<int>& samples);
// The gradient of the weight that the case learns, as it stands, and after these samples in float64.
std::vector<double> learnt(const OpCase& c, const Executor& executor);
std::vector<double> learnt_by_reference(const OpCase& c, const std::vector<int>& samples);
// The image after the op, on `executor` (weights not yet set) or in float64.
std::vector<float> run_case(const OpCase& c, Executor& executor);
std::vector<double> run_reference(const OpCase& c);
// |actual - expected| / |expected| over a written buffer, as vectors; infinite where actual is not finite.
double relative_error(const OpCase& c, BufferId buffer, const std::vector<float>& actual, const std::vector<double>& expected);
double relative_error(const std::vector<double>& actual, const std::vector<double>& expected);
// What float32 may lose: a sum of K terms rounds K times, which adds up as a random walk, 2^-24 sqrt(K); the factor 4 and the 16 roundings
// beside it cover loads (norm, SiLU, softmax) and stores.
double tolerance(const OpCase& c);
// What bf16 may lose besides: weights, activations and results are each rounded by at most 2^-9 of their size, independently.
inline constexpr double kBf16Tolerance = 0x1p-8;

}  // namespace diffcert::bench
