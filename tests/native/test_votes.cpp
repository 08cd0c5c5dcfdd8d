// Votes: the same bits for every batch size, number of threads, range and order; the losses equal a plain computation, one row at a time; what
// counts for no class; what a classifier refuses.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "check.hpp"
#include "vote_cases.hpp"

using namespace diffcert;
using namespace vote_cases;

namespace {

// Every way to cut the work gives the same bits.
void test_invariance(bool heads) {
  constexpr std::uint32_t kSamples = 7;
  const auto one = tiny_model("cpu", 1, 61, 1, heads), two = tiny_model("cpu", 2, 61, 1, heads), narrow = tiny_model("cpu", 2, 3, 1, heads, "portable");
  for (const Case& c : cases()) {
    const std::size_t taus = c.taus.size();
    std::vector<std::vector<std::int32_t>> wanted;
    const Handle first = open(one.get(), c.kind, c.noise, c.taus, 1);
    for (int which = 0; which < 3; ++which) wanted.push_back(votes(first.get(), which, 0, kSamples, taus));
    const auto wanted_losses = losses(first.get(), image(3), 5, taus);
    const std::uint32_t cuts[] = {0, 1, 4, 4, 5, kSamples};
    using Runs = std::vector<std::pair<dc_model*, std::vector<std::int64_t>>>;
    const Runs runs = check::depth() >= (heads ? 2 : 1) ? Runs{{two.get(), {1, 2, 3, 7, 16, 61}}, {one.get(), {7, 0}}, {narrow.get(), {2, 0}}}
                                          : Runs{{two.get(), {7}}, {narrow.get(), {0}}};
    for (const auto& [model, batches] : runs) {
      for (const std::int64_t batch : batches) {
        const Handle classifier = open(model, c.kind, c.noise, c.taus, batch);
        const auto found = losses(classifier.get(), image(3), 5, taus);
        CHECK(std::memcmp(found.data(), wanted_losses.data(), found.size() * sizeof(double)) == 0) << "kind " << c.kind << " batch " << batch;
        for (const int which : {2, 0, 1}) {
          CHECK(votes(classifier.get(), which, 0, kSamples, taus) == wanted[static_cast<std::size_t>(which)]) << "kind " << c.kind << " batch " << batch;
        }
        for (std::size_t s = std::size(cuts) - 1; s > 0; --s) {
          const auto part = votes(classifier.get(), 1, cuts[s - 1], cuts[s], taus);
          const std::size_t size = cuts[s] - cuts[s - 1];
          for (std::size_t t = 0; t < taus; ++t) {
            CHECK(std::equal(part.begin() + static_cast<std::ptrdiff_t>(t * size), part.begin() + static_cast<std::ptrdiff_t>((t + 1) * size),
                             wanted[1].begin() + static_cast<std::ptrdiff_t>(t * kSamples + cuts[s - 1])))
                << "kind " << c.kind << " shard " << s << " tau " << t;
          }
        }
      }
    }
  }
}

// The loss of one class, straight from the definitions of docs/spec/classifiers.md. x: positions at the taus of the pass.
double plain_loss(Network& network, dc_classifier_kind kind, const TauData& tau, std::size_t own, const std::vector<std::vector<double>>& x,
                  const std::vector<double>& sigmas, std::uint32_t sample, std::int32_t label) {
  const auto denoise = [&](const std::vector<double>& at, double sigma, std::int32_t y) {
    std::vector<double> out(at.size());
    network.denoise(1, &sigma, &y, at.data(), out.data());
    for (double& v : out) v = std::clamp(v, -1.0, 1.0);
    return out;
  };
  const double s = 2 * tau.sigma;
  const auto target = kind == DC_APNDC || kind == DC_APNDC_ENSEMBLE ? denoise(x[own], s, -1)
                      : kind == DC_APNDC_CONDITIONAL                ? denoise(x[own], s, label)
                                                                    : x[own];
  double loss = 0;
  for (std::size_t i = 0; i < tau.upper.size(); ++i) {
    if (tau.weights[i] == 0) continue;
    const double u = tau.upper[i], l = tau.lower[i];
    std::size_t base = own;
    while (base + 1 < x.size() && l > 2 * sigmas[base + 1]) ++base;
    std::vector<double> e(kPixels), at(kPixels);
    CHECK(dc_level_noise(kSeed, 3, DC_ESTIMATE, sample, static_cast<std::uint32_t>(i), kPixels, e.data()) == DC_OK);
    const bool around_x = kind == DC_EPNDC || kind == DC_APNDC || kind == DC_APNDC_CONDITIONAL;
    const double spread = around_x ? std::sqrt(u * u - 4 * sigmas[base] * sigmas[base]) : u;
    const auto& centre = kind == DC_APNDC_ENSEMBLE ? target : x[base];
    for (std::size_t p = 0; p < at.size(); ++p) at[p] = centre[p] + spread * e[p];
    const auto d = denoise(at, u, label);
    double sum = 0;
    for (std::size_t p = 0; p < at.size(); ++p) {
      double difference = d[p] - target[p];
      if (kind == DC_EPNDC) {
        const double q = ((u * u - l * l) * x[own][p] + (l * l - s * s) * at[p]) / (u * u - s * s);
        difference = q - ((u * u - l * l) * d[p] + l * l * at[p]) / (u * u);
      }
      sum += difference * difference;
    }
    loss += tau.weights[i] * sum / static_cast<double>(kPixels);
  }
  return loss;
}

void test_definition(bool heads) {
  const auto model = tiny_model("reference", 1, 16, 1, heads);
  const auto pixels = image(3);
  for (const Case& c : cases()) {
    const Handle classifier = open(model.get(), c.kind, c.noise, c.taus, 0);
    for (const std::uint32_t sample : heads ? std::vector{11u} : std::vector{0u, 11u}) {
      const auto found = losses(classifier.get(), pixels, sample, c.taus.size());
      std::vector<double> sigmas;
      for (const TauData& tau : c.taus) sigmas.push_back(tau.sigma);
      std::vector<std::vector<double>> x;
      std::vector<std::int32_t> noise(kPixels * c.taus.size());
      std::int32_t ambiguous = 0;
      const auto value = [&](std::size_t p, std::int32_t m) { return (2 * std::clamp(pixels[p] + m, -255, 510) - 255) / 255.0; };
      if (c.noise == DC_NOISE_PATH) {
        CHECK(dc_path_noise(static_cast<std::int32_t>(sigmas.size()), sigmas.data(), kSeed, 3, DC_ESTIMATE, sample, kPixels, noise.data(), &ambiguous) ==
              DC_OK);
      }
      for (std::size_t t = 0; t < sigmas.size(); ++t) {
        const dc_tau view = c.taus[t].view();
        if (c.noise == DC_NOISE_INTEGER) {
          CHECK(dc_integer_noise(&view, kSeed, 3, DC_ESTIMATE, sample, kPixels, noise.data() + t * kPixels, &ambiguous) == DC_OK);
        }
        std::vector<double> normals(kPixels), at(kPixels);
        draw_normals({kSeed, 3, DC_ESTIMATE, sample}, NoiseStream::smoothing, 0, normals);
        for (std::size_t p = 0; p < at.size(); ++p) {
          at[p] = c.noise == DC_NOISE_FLOAT ? (2 * pixels[p] - 255) / 255.0 + 2 * sigmas[t] * normals[p] : value(p, noise[t * kPixels + p]);
        }
        x.push_back(at);
      }
      for (std::size_t t = 0; t < sigmas.size(); ++t) {
        for (std::int32_t y = 0; y < kClasses; ++y) {
          // On a path a classifier sees all positions; else its own alone.
          const bool path = c.noise == DC_NOISE_PATH;
          const double wanted = path ? plain_loss(model->network, c.kind, c.taus[t], t, x, sigmas, sample, y)
                                     : plain_loss(model->network, c.kind, c.taus[t], 0, {x[t]}, {sigmas[t]}, sample, y);
          const double got = found[t * kClasses + static_cast<std::size_t>(y)];
          CHECK(std::fabs(got - wanted) <= 1e-11 * wanted) << "kind " << c.kind << " noise " << c.noise << " tau " << t << ": " << got << " " << wanted;
        }
      }
    }
  }
}

// S7: image + 1 with noise - 1 is the same sum, so the same loss to the last bit.
void test_function_of_the_sum() {
  const auto model = tiny_model("cpu", 1, 16);
  std::vector<TauData> taus = {cases()[0].taus[0]};
  auto pixels = image(3);
  for (auto& p : pixels) p = std::min<std::uint8_t>(p, 254);
  const auto wanted = losses(open(model.get(), DC_APNDC, DC_NOISE_INTEGER, taus, 0).get(), pixels, 1, 1);
  for (auto& p : pixels) ++p;
  CHECK(losses(open(model.get(), DC_APNDC, DC_NOISE_INTEGER, taus, 0).get(), pixels, 1, 1) != wanted);
  --taus[0].origin;
  CHECK(losses(open(model.get(), DC_APNDC, DC_NOISE_INTEGER, taus, 0).get(), pixels, 1, 1) == wanted);
}

void test_no_vote() {
  const auto model = tiny_model("cpu", 1, 16);
  std::vector<TauData> taus = {cases()[0].taus[0]};
  const auto u = NoiseKey{kSeed, 1, DC_ESTIMATE, 3}.uniforms(NoiseStream::smoothing, 0, 0)[1];
  taus[0].thresholds.insert(std::lower_bound(taus[0].thresholds.begin(), taus[0].thresholds.end(), u), u);
  const auto found = votes(open(model.get(), DC_DC, DC_NOISE_INTEGER, taus, 0).get(), 1, 0, 6, 1);
  for (std::size_t s = 0; s < found.size(); ++s) CHECK((found[s] == -1) == (s == 3)) << "sample " << s << " voted " << found[s];
  const auto broken = tiny_model("cpu", 1, 16, 3e38f);
  for (int kind = DC_DC; kind <= DC_APNDC_ENSEMBLE; ++kind) {
    const auto none = votes(open(broken.get(), static_cast<dc_classifier_kind>(kind), DC_NOISE_INTEGER, taus, 0).get(), 1, 0, 3, 1);
    CHECK(std::all_of(none.begin(), none.end(), [](std::int32_t v) { return v == -1; })) << "kind " << kind;
  }
}

void test_calls(bool heads) {
  const auto model = tiny_model("cpu", 1, 4, 1, heads);
  const std::int64_t all = heads ? 1 : kClasses;  // rows that all classes take
  const auto calls = [&](dc_classifier_kind kind, dc_noise_mode noise, std::size_t taus) {
    const auto both = cases()[0].taus;
    std::int64_t count = 0;
    const Handle classifier = open(model.get(), kind, noise, {both.begin(), both.begin() + static_cast<std::ptrdiff_t>(taus)}, 0);
    CHECK(dc_classifier_calls_per_sample(classifier.get(), &count) == DC_OK);
    std::int64_t made = 0;
    votes(classifier.get(), 1, 0, 3, taus, &made);
    CHECK(made == 3 * count) << "kind " << kind << ": " << made << " calls made";
    return count;
  };
  // Four levels weigh at sigma 0.25, two at 0.5.
  CHECK(calls(DC_DC, DC_NOISE_INTEGER, 1) == 4 * all);
  CHECK(calls(DC_EPNDC, DC_NOISE_INTEGER, 2) == (4 + 2) * all);
  CHECK(calls(DC_EPNDC, DC_NOISE_PATH, 2) == 4 * all);
  CHECK(calls(DC_APNDC, DC_NOISE_INTEGER, 1) == 4 * all + 1);
  CHECK(calls(DC_APNDC_CONDITIONAL, DC_NOISE_INTEGER, 1) == 5 * all);
  CHECK(calls(DC_APNDC_ENSEMBLE, DC_NOISE_INTEGER, 1) == 4 * all + 1);
}

void test_refusals() {
  const auto model = tiny_model("cpu", 1, 4);
  const auto good = cases()[0].taus;
  const auto refused = [&](dc_classifier_kind kind, dc_noise_mode noise, const std::vector<TauData>& taus) {
    std::vector<dc_tau> views;
    for (const TauData& tau : taus) views.push_back(tau.view());
    dc_classifier* classifier = nullptr;
    const dc_status status =
        dc_classifier_create(model.get(), nullptr, kind, 1, noise, 1, static_cast<std::int32_t>(views.size()), views.data(), nullptr, 0, &classifier);
    if (status == DC_OK) dc_classifier_close(classifier);
    return status == DC_BAD_ARGUMENT;
  };
  const auto changed = [&](auto change) {
    std::vector<TauData> taus = good;
    change(taus);
    return taus;
  };
  CHECK(!refused(DC_EPNDC, DC_NOISE_PATH, good));
  CHECK(refused(DC_APNDC, DC_NOISE_PATH, good)) << "path noise is for epndc";
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, {good[1], good[0]})) << "taus must ascend";
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, {})) << "no taus";
  CHECK(refused(DC_DC, static_cast<dc_noise_mode>(5), good));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { t[0].thresholds.clear(); })));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { std::swap(t[0].thresholds.front(), t[0].thresholds.back()); })));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { std::fill(t[0].weights.begin(), t[0].weights.end(), 0); })));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { t[0].weights.back() = std::nan(""); })));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { t[0].upper.back() = -1; })));
  CHECK(refused(DC_EPNDC, DC_NOISE_INTEGER, changed([](auto& t) { t[0].weights[0] = 1; }))) << "a level that begins below tau";
  CHECK(refused(DC_EPNDC, DC_NOISE_PATH, changed([](auto& t) { t[1].upper.back() = 4; }))) << "levels must be shared";
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, changed([](auto& t) { t[0].sigma = -1; })));
  const Handle classifier = open(model.get(), DC_DC, DC_NOISE_INTEGER, good, 0);
  const auto pixels = image(0);
  std::vector<std::int32_t> place(8);
  CHECK(dc_classifier_votes(classifier.get(), pixels.data(), kPixels - 1, 0, DC_SELECT, 0, 2, place.data(), nullptr) == DC_BAD_ARGUMENT);
  CHECK(dc_classifier_votes(classifier.get(), pixels.data(), kPixels, 0, static_cast<dc_phase>(4), 0, 2, place.data(), nullptr) == DC_BAD_ARGUMENT);
  CHECK(dc_classifier_votes(classifier.get(), pixels.data(), kPixels, 0, DC_SELECT, 2, 1, place.data(), nullptr) == DC_BAD_ARGUMENT);
  CHECK(dc_classifier_votes(classifier.get(), nullptr, kPixels, 0, DC_SELECT, 0, 1, place.data(), nullptr) == DC_BAD_ARGUMENT);
  CHECK(dc_classifier_votes(nullptr, pixels.data(), kPixels, 0, DC_SELECT, 0, 1, place.data(), nullptr) == DC_BAD_ARGUMENT);
}

}  // namespace

int main() {
  for (const bool heads : {false, true}) {
    test_invariance(heads);
    test_definition(heads);
    test_calls(heads);
  }
  test_function_of_the_sum();
  test_no_vote();
  test_refusals();
  return check::finish();
}
