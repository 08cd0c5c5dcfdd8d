// Preconditioning: the coefficients of the four wrappers against values from their formulas, and iDDPM's levels against
// a file's.
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/networks.hpp"
#include "check.hpp"
#include "golden.hpp"
#include "unet/precond.hpp"

using namespace diffcert;

namespace {

Precond make(std::int32_t kind) {
  dc_network_config c = bench::published_networks().front().config;
  c.precond = kind;
  return Precond(validate(c));
}

// within half a unit of the last printed digit
bool near(double value, double expected, double unit) {
  return std::abs(value - expected) <= 0.5 * unit * (1 + 1e-6);
}

void edm() {
  struct Row {
    double sigma, c_skip, c_out, c_in, c_noise;
  };
  const Precond precond = make(0);
  for (const Row& row :
       {Row{0.002, 0.99998400, 0.00199998, 1.99998400, -1.55365202},
        Row{0.25, 0.8, 0.22360680, 1.78885438, -0.34657359}, Row{0.5, 0.5, 0.35355339, 1.41421356, -0.17328680},
        Row{1, 0.2, 0.44721360, 0.89442719, 0}, Row{2, 0.05882353, 0.48507125, 0.48507125, 0.17328680},
        Row{80, 0.00003906, 0.49999023, 0.01249976, 1.09550666}}) {
    const Coefficients c = precond.at(row.sigma);
    CHECK(near(c.c_skip, row.c_skip, 1e-8)) << row.sigma << ": " << c.c_skip;
    CHECK(near(c.c_out, row.c_out, 1e-8)) << row.sigma << ": " << c.c_out;
    CHECK(near(c.c_in, row.c_in, 1e-8)) << row.sigma << ": " << c.c_in;
    CHECK(near(c.c_noise, row.c_noise, 1e-8)) << row.sigma << ": " << c.c_noise;
  }
  CHECK(precond.levels().empty());
}

void vp_and_ve() {
  const Coefficients one = make(1).at(1), most = make(1).at(152.166970);
  CHECK(one.c_skip == 1 && one.c_out == -1 && near(one.c_in, std::sqrt(0.5), 1e-15));
  CHECK(near(one.c_noise, 999 * 0.258960262, 999e-9)) << one.c_noise;  // t(1)
  CHECK(near(most.c_noise, 999, 1e-5)) << most.c_noise;                // s(1) = 152.166970
  CHECK(near(make(1).at(0.00100049763).c_noise, 999e-5, 1e-9));        // s(1e-5)
  const Coefficients ve = make(2).at(0.02);
  CHECK(ve.c_skip == 1 && ve.c_out == 0.02 && ve.c_in == 1 && near(ve.c_noise, std::log(0.01), 1e-15));
}

void iddpm() {
  const Precond precond = make(3);
  const std::vector<float> stored = Golden("golden/edm/adm-iddpm.model.safetensors").read<float>("u");
  const std::vector<double>& u = precond.levels();
  CHECK(u.size() == stored.size() && u.size() == 1001 && u.back() == 0);
  double worst = 0;
  for (std::size_t j = 0; j + 1 < u.size(); ++j) {
    // The file's recurrence ran in float32. What counts is that its levels and ours name the same index.
    worst = std::max(worst, std::abs(u[j] - static_cast<double>(stored[j])) / (u[j] - u[j + 1]));
    CHECK(precond.nearest_level(static_cast<double>(stored[j])) == static_cast<std::int64_t>(j)) << j;
    CHECK(u[j] > u[j + 1]) << j;
    const Coefficients c = precond.at(u[j]);
    CHECK(c.c_noise == 999 - static_cast<double>(j) && c.c_out == -u[j]) << j;
  }
  CHECK(worst < 0.1) << worst;
  std::printf("iDDPM levels: at most %.2e of a step from the stored ones\n", worst);
  // Between two levels the nearer one counts, the larger among equals.
  const double middle = (u[500] + u[501]) / 2, step = u[500] - u[501];
  CHECK(precond.nearest_level(middle + step / 8) == 500 && precond.nearest_level(middle - step / 8) == 501);
  CHECK(precond.nearest_level(1e9) == 0 && precond.nearest_level(1e-9) == 1000);
}

}  // namespace

int main() {
  edm();
  vp_and_ve();
  iddpm();
  return check::finish();
}
