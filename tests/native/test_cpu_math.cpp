// The CPU device's own exp, sin, cos, SiLU and softmax: their errors against the C library's in double over their whole range, and
// that three instruction sets give the same bits.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "bench/conv_case.hpp"
#include "check.hpp"
#include "core/status.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scalar_math.hpp"

using namespace diffcert;

namespace {

std::vector<const cpu::Kernels*> tables() {
  std::vector<const cpu::Kernels*> found;
  for (const char* isa : {"portable", "avx2", "avx512"}) {
    try {
      found.push_back(&cpu::choose_kernels(isa));
    } catch (const Error&) {
      continue;  // this machine lacks it
    }
  }
  return found;
}

void check_scalar() {
  double exp_error = 0, angle_error = 0;
  for (int i = -70000; i <= 70000; ++i) {
    const double x = i * 0.01;
    exp_error = std::max(exp_error, std::fabs(cpu::exact_exp(x) / std::exp(x) - 1));
    const double angle = i * 1.37;
    double cosine = 0, sine = 0;
    cpu::exact_cos_sin(angle, cosine, sine);
    angle_error = std::max({angle_error, std::fabs(cosine - std::cos(angle)), std::fabs(sine - std::sin(angle))});
  }
  CHECK(exp_error < 2e-15) << exp_error;
  CHECK(angle_error < 2e-15) << angle_error;
}

void check_silu(const cpu::Kernels& kernels) {
  std::vector<float> in, out;
  for (int i = -86000; i <= 86000; ++i) in.push_back(static_cast<float>(i) * 1e-3f);
  out = in;
  kernels.silu(static_cast<std::int64_t>(out.size()), out.data());
  double worst = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double x = in[i], expected = x / (1 + std::exp(-x));
    if (x != 0) worst = std::max(worst, std::fabs(out[i] / expected - 1));
  }
  CHECK(worst < 5e-7) << kernels.name << " silu, relative error " << worst;
  float ends[5] = {-1e30f, 1e30f, 0.0f, -INFINITY, NAN};
  kernels.silu(5, ends);
  CHECK(std::fabs(ends[0]) < 1e-6f && ends[1] == 1e30f && ends[2] == 0.0f) << kernels.name;
  CHECK(std::isnan(ends[4])) << kernels.name << " hides a NaN";
}

void check_softmax(const cpu::Kernels& kernels, std::int64_t count) {
  const std::vector<float> in = bench::random_floats(count, 3);
  std::vector<float> out = in;
  for (float& v : out) v *= 50;
  kernels.softmax(count, out.data(), 0.25f);
  double sum = 0, worst = 0;
  for (const float v : in) sum += std::exp(12.5 * static_cast<double>(v));
  for (std::size_t i = 0; i < in.size(); ++i) {
    worst = std::max(worst, std::fabs(out[i] - std::exp(12.5 * in[i]) / sum));
  }
  std::vector<float> spoilt = in;
  spoilt.back() = NAN;
  kernels.softmax(count, spoilt.data(), 1.0f);
  CHECK(std::isnan(spoilt.front())) << kernels.name << " softmax hides a NaN";
  CHECK(worst < 1e-6) << kernels.name << " softmax of " << count << ": " << worst;
}

// Every element-wise kernel, counts that fill registers and counts that do not.
void check_same_bits(const cpu::Kernels& one, const cpu::Kernels& other) {
  for (const std::int64_t count : {1, 7, 16, 31, 64, 100}) {
    std::vector<float> results[2];
    for (int which = 0; which < 2; ++which) {
      const cpu::Kernels& kernels = which == 0 ? one : other;
      std::vector<float>& all = results[which];
      const auto a = bench::random_floats(count * 4, 1), b = bench::random_floats(count * 4, 2);
      std::vector<float> out = b;
      const auto keep = [&] {
        all.insert(all.end(), out.begin(), out.end());
        out = b;
      };
      kernels.silu(count * 4, out.data()), keep();
      kernels.softmax(count, out.data(), 3.0f), keep();
      kernels.axpy(count, 0.3f, a.data(), out.data()), keep();
      kernels.add(count, a.data(), b.data(), 0.7f, out.data()), keep();
      kernels.mean4(count, a.data(), a.data() + count, b.data(), b.data() + count, out.data()), keep();
      kernels.activate(3, count, a.data(), count, out.data(), count, b.data(), b.data() + count, true), keep();
      kernels.statistics(2, 2, count, a.data(), count, out.data(), out.data() + count), keep();
      kernels.finish(4, count, a.data(), count, out.data(), count, {b.data(), true, a.data(), 0.7f}), keep();
    }
    CHECK(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(float)) == 0)
        << one.name << " and " << other.name << " differ at " << count;
  }
}

}  // namespace

int main() {
  check_scalar();
  const auto all = tables();
  for (const auto* kernels : all) {
    check_silu(*kernels);
    for (const std::int64_t count : {1, 15, 16, 49, 256}) check_softmax(*kernels, count);
    check_same_bits(*all.front(), *kernels);
  }
  return check::finish();
}
