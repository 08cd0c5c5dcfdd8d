// The CPU device's fused convolution against the definition in float64, in every form that a plan can ask for, and its bits on
// portable, AVX2 and AVX-512 code.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/op_cases.hpp"
#include "check.hpp"
#include "core/status.hpp"

using namespace diffcert;

namespace {

std::vector<float> run(const bench::ConvCase& c, const std::string& isa, int threads) {
  const auto executor = make_cpu_executor(c.plan, threads, isa);
  c.give_weights(*executor);
  executor->prepare(1);
  std::vector<float> image = c.image;
  for (std::int64_t i = c.plan.buffers[static_cast<std::size_t>(c.op.out.buffer)].offset; i < c.image_elements; ++i) {
    image[static_cast<std::size_t>(i)] = NAN;  // what the op must write is not there already
  }
  std::vector<float> out(static_cast<std::size_t>(c.image_elements));
  const float label = 0;
  executor->run(1, image.data(), &label, nullptr, out.data());
  return out;
}

bool available(const std::string& isa) {
  try {
    make_cpu_executor(bench::ConvCase({.height = 4, .width = 4, .in = {16, 0}, .out = 16}).plan, 1, isa);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void check_shape(const char* name, const bench::ConvShape& shape) {
  const bench::ConvCase c(shape);
  const std::vector<float> best = run(c, "", 1);
  const std::vector<double> expected = c.expected();
  const float* out = best.data() + c.plan.buffers[static_cast<std::size_t>(c.op.out.buffer)].offset;

  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = static_cast<double>(out[i]) - expected[i];
    difference += d * d;
    size += expected[i] * expected[i];
  }
  // F(4x4,3x3) loses about a decimal digit to the float product; 2^-24 * 100 covers its transforms' growth.
  const double error = std::sqrt(difference / size);
  CHECK(error < 6e-6) << name << ": relative error " << error;

  if (shape.stats) {
    const float* stats = best.data() + c.plan.buffers[static_cast<std::size_t>(c.op.stats)].offset;
    const std::int64_t pixels = static_cast<std::int64_t>(shape.out_height()) * shape.out_width();
    for (std::int64_t n = 0; n < shape.out; ++n) {
      double mean = 0, m2 = 0;
      for (std::int64_t p = 0; p < pixels; ++p) mean += static_cast<double>(out[p * shape.out + n]);
      mean /= static_cast<double>(pixels);
      for (std::int64_t p = 0; p < pixels; ++p) m2 += std::pow(static_cast<double>(out[p * shape.out + n]) - mean, 2);
      CHECK(std::fabs(static_cast<double>(stats[n]) - mean) < 1e-6 * (1 + std::fabs(mean))) << name << " mean of " << n;
      CHECK(std::fabs(static_cast<double>(stats[shape.out + n]) - m2) < 1e-5 * m2 + 1e-9) << name << " m2 of " << n;
    }
  }
  for (const char* isa : {"portable", "avx2", "avx512"}) {
    if (!available(isa)) continue;
    const std::vector<float> other = run(c, isa, 2);
    const auto from = static_cast<std::size_t>(c.plan.buffers[static_cast<std::size_t>(c.op.out.buffer)].offset);
    const std::size_t count = expected.size();
    CHECK(std::memcmp(other.data() + from, best.data() + from, count * sizeof(float)) == 0) << name << " on " << isa;
  }
}

}  // namespace

int main() {
  for (const bench::NamedShape& named : bench::conv_shapes()) check_shape(named.name.c_str(), named.shape);
  return check::finish();
}
