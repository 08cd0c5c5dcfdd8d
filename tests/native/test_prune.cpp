// Pruned votes: which classes a contest drops, that votes equal the rule applied to all residuals, that nothing shows of batches, threads and
// ranges, that network calls are counted as they are made, and that a rule that drops nothing gives the exhaustive votes to the bit.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <set>

#include "elbo/contest.hpp"
#include "vote_cases.hpp"

using namespace diffcert;
using namespace vote_cases;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::int32_t> alive(const Contest& contest) { return {contest.alive().begin(), contest.alive().end()}; }

void test_interleaved_order() {
  CHECK(interleaved(1) == std::vector<std::size_t>{0});
  CHECK((interleaved(8) == std::vector<std::size_t>{4, 2, 6, 1, 5, 3, 7, 0}));
  for (const std::size_t n : {2, 3, 7, 48, 119, 124, 1000}) {
    const auto order = interleaved(n);
    CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == n && order.size() == n) << n << " levels are not all there";
    std::set<std::size_t> seen;
    for (const std::size_t level : order) {
      seen.insert(level);
      double gap = 0, last = -1;
      for (const std::size_t s : seen) gap = std::max(gap, static_cast<double>(s) - last), last = static_cast<double>(s);
      gap = std::max(gap, static_cast<double>(n) - last);
      CHECK(gap <= 2.0 * static_cast<double>(n) / static_cast<double>(seen.size() + 1) + 2) << "hole after " << seen.size() << " of " << n;
    }
  }
}

// Against tables of Student's distribution; from four degrees of freedom on the approximation is 4% off at most, and below it is too large.
void test_quantiles() {
  CHECK(std::fabs(normal_bound(0.01, 11) - 3.0902323) < 1e-6) << normal_bound(0.01, 11);
  CHECK(normal_bound(0, 10) == kInfinity);
  CHECK(std::fabs(normal_bound(0.5, 2)) < 1e-9);
  const std::pair<double, double> table[] = {{4, 7.17318}, {9, 4.29681}, {30, 3.38518}, {1000, 3.09840}};
  for (const auto& [nu, t] : table) {
    const double found = std::sqrt(squared_student(3.0902323, nu));
    CHECK(found > 0.999 * t && found < 1.04 * t) << "nu " << nu << ": " << found << ", true " << t;
  }
  CHECK(squared_student(3.0902323, 1) > 318.309 * 318.309);
  CHECK(squared_student(8, 0.05) == kInfinity);
}

void test_sifting() {
  Contest contest(5, 1);
  const double sums[] = {3e-5, 1e-5, 7e-5, 6e-5, 1e-5};
  for (std::int32_t c = 0; c < 5; ++c) contest.take_sifting(c, sums[c]);
  contest.drop_above(5e-5);
  CHECK((alive(contest) == std::vector<std::int32_t>{0, 1, 3, 4}));
  contest.take_sifting(2, -1);
  contest.keep_best(5);
  CHECK(contest.alive().size() == 4) << "a dropped class came back, or one too many went";
  contest.keep_best(3);
  CHECK((alive(contest) == std::vector<std::int32_t>{0, 1, 4}));
  contest.keep_best(1);
  CHECK((alive(contest) == std::vector<std::int32_t>{1})) << "of equals the lowest stays";
  CHECK(contest.decided());
}

// Terms [class][level] into a contest, the levels in order; drops after each.
Contest race(const std::vector<std::vector<double>>& terms, std::size_t levels, double error) {
  Contest contest(static_cast<std::int32_t>(terms.size()), levels);
  const double z = normal_bound(error, static_cast<std::int32_t>(terms.size()));
  for (std::size_t i = 0; i < terms[0].size() && !contest.decided(); ++i) {
    for (std::size_t c = 0; c < terms.size(); ++c) contest.take(static_cast<std::int32_t>(c), i, terms[c][i]);
    contest.level_done(i);
    contest.drop_behind(z, levels);
  }
  return contest;
}

void test_constructed_races() {
  // Class 1 leads; 0 is far behind at every level; 2 is near and changes sides; 3 is as far as 0 but wildly uneven.
  const std::vector<std::vector<double>> terms = {{2.0, 2.1, 1.9, 2.0}, {1.0, 1.0, 1.0, 1.0}, {1.3, 0.8, 1.3, 0.7}, {9.0, -4.0, 8.0, -5.0}};
  CHECK((alive(race(terms, 100, 0.05)) == std::vector<std::int32_t>{0, 1, 2, 3})) << "the uneven class makes all of them doubtful";
  const std::vector<std::vector<double>> even = {terms[0], terms[1], terms[2]};
  CHECK((alive(race(even, 100, 0.2)) == std::vector<std::int32_t>{1, 2}));
  CHECK((alive(race(even, 100, 0)) == std::vector<std::int32_t>{0, 1, 2})) << "error 0 drops nothing";
  CHECK((alive(race(even, 4, 0.2)) == std::vector<std::int32_t>{1, 2}));
  // No noise at all: dropped at the second level; never at the first, where there is nothing to compare with.
  CHECK(alive(race({{1, 1}, {2, 2}}, 3, 1e-6)).size() == 1);
  CHECK(alive(race({{1}, {2}}, 3, 1e-6)).size() == 2);
  CHECK(alive(race({{1, 1}, {2, 2}}, 2, 1e-6)).size() == 2) << "after the last level the losses decide";
  CHECK(alive(race({{1, 1}, {1, 1}}, 9, 0.5)).size() == 2) << "equals stay";
  // A profile that the classes share is not noise: differences 1, 10, 100 and 2, 20, 200.
  CHECK((alive(race({{2, 20, 200}, {0, 0, 0}, {1, 10, 100}}, 50, 0.01)) == std::vector<std::int32_t>{1}));
  const Contest broken = race({{1, 1, 1}, {2, std::nan(""), 2}, {3, 3, 3}}, 9, 0);
  std::vector<double> losses(3);
  broken.losses(losses);
  CHECK(broken.decided() && std::all_of(losses.begin(), losses.end(), [](double loss) { return std::isnan(loss); }));
}

// How often the class of least loss is dropped where the assumptions hold: independent normal terms of ten classes whose means are `step` apart. The
// rule looks after every level, so its error is nominal: classes that are all equal, the worst case, exceed it, and nothing is lost there.
double dropped_best(double step, double error, int contests) {
  constexpr int kRivals = 10, kLevels = 40;
  std::mt19937_64 random(20261121);
  std::normal_distribution<double> normal;
  int wrong = 0;
  for (int round = 0; round < contests; ++round) {
    std::vector<std::vector<double>> terms(kRivals, std::vector<double>(kLevels));
    std::vector<double> full;
    for (int c = 0; c < kRivals; ++c) {
      auto& own = terms[static_cast<std::size_t>(c)];
      for (double& term : own) term = step * c + normal(random);
      full.push_back(std::accumulate(own.begin(), own.end(), 0.0));
    }
    wrong += race(terms, kLevels, error).has(static_cast<std::int32_t>(std::min_element(full.begin(), full.end()) - full.begin())) ? 0 : 1;
  }
  const double rate = static_cast<double>(wrong) / contests;
  std::printf("paired, error %.2f, %d classes %.2f deviations apart: the best dropped in %.4f of %d contests\n", error, kRivals, step, rate, contests);
  return rate;
}

void test_error_rate() {
  const int contests = check::depth() >= 2 ? 20000 : 1000;
  CHECK(dropped_best(0, 0.1, contests) < 0.35);
  CHECK(dropped_best(0.2, 0.1, contests) < 0.15);
  CHECK(dropped_best(0.5, 0.1, contests) < 0.05);
  CHECK(dropped_best(0, 0.01, contests) < 0.1);
  CHECK(dropped_best(0.2, 0.01, contests) < 0.03);
}

dc_prune published(double threshold, std::int32_t keep) { return {DC_PRUNE_PUBLISHED, threshold, keep, 0}; }
dc_prune paired(double error) { return {DC_PRUNE_PAIRED, 0, 0, error}; }

// The cases with levels that sift.
std::vector<Case> sifted_cases() {
  const std::vector<double> points = {0.4, 0.6, 1.1, 2.2};
  std::vector<Case> all = cases();
  for (Case& c : all) {
    for (TauData& tau : c.taus) {
      const TauData coarse = tau_data(tau.sigma, points);
      tau.sift = {coarse.lower, coarse.upper, coarse.weights};
    }
  }
  return all;
}

void test_nothing_dropped_is_exhaustive() {
  const auto model = tiny_model("cpu", 2, 16), broken = tiny_model("cpu", 2, 16, 3e38f);
  for (Case c : sifted_cases()) {
    const std::size_t taus = c.taus.size();
    if (c.noise == DC_NOISE_INTEGER) {  // one ambiguous sample
      const auto u = NoiseKey{kSeed, 1, DC_ESTIMATE, 3}.uniforms(NoiseStream::smoothing, 0, 0)[1];
      auto& thresholds = c.taus[0].thresholds;
      thresholds.insert(std::lower_bound(thresholds.begin(), thresholds.end(), u), u);
    }
    for (const dc_prune& rule : {paired(0), published(0, kClasses)}) {
      for (dc_model* m : {model.get(), broken.get()}) {
        const Handle all = open(m, c.kind, c.noise, c.taus, 0), pruned = open(m, c.kind, c.noise, c.taus, 0, &rule);
        std::int64_t wanted_calls = 0, calls = 0, most = 0;
        const auto wanted = votes(all.get(), 1, 0, 6, taus, &wanted_calls);
        CHECK(votes(pruned.get(), 1, 0, 6, taus, &calls) == wanted) << "kind " << c.kind;
        const auto full = losses(all.get(), image(3), 5, taus), found = losses(pruned.get(), image(3), 5, taus);
        CHECK(dc_classifier_calls_per_sample(all.get(), &most) == DC_OK && wanted_calls == 6 * most);
        if (m == broken.get()) {
          CHECK(std::all_of(wanted.begin(), wanted.end(), [](std::int32_t v) { return v == -1; }));
          continue;
        }
        CHECK(std::memcmp(found.data(), full.data(), found.size() * sizeof(double)) == 0) << "kind " << c.kind << " noise " << c.noise;
        CHECK(calls == wanted_calls) << calls << " calls instead of " << wanted_calls;
      }
    }
  }
}

// The weighted residuals [level][tau * classes + class] of a sample: losses of exhaustive classifiers that weigh one level each. The levels that
// sift come after the others, as their noise does.
std::vector<std::vector<double>> terms_of(dc_model* model, const Case& c, std::uint32_t sample) {
  std::vector<TauData> taus = c.taus;
  for (TauData& tau : taus) {
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(tau.lower, tau.sift.lower), append(tau.upper, tau.sift.upper), append(tau.weights, tau.sift.weights);
  }
  std::vector<std::vector<double>> terms;
  for (std::size_t i = 0; i < taus[0].upper.size(); ++i) {
    // One tau of a level with no weight is fine on a path, where the taus share a pass; elsewhere each tau needs a level: a pass of its own.
    terms.emplace_back(taus.size() * kClasses, 0.0);
    const auto only = [&](std::vector<TauData> some, std::size_t first) {
      bool weighed = false;
      for (TauData& tau : some) {
        for (std::size_t k = 0; k < tau.weights.size(); ++k) tau.weights[k] = k == i ? tau.weights[k] : 0;
        weighed = weighed || tau.weights[i] > 0;
      }
      if (!weighed) return;
      const auto found = losses(open(model, c.kind, c.noise, some, 0).get(), image(3), sample, some.size());
      std::copy(found.begin(), found.end(), terms.back().begin() + static_cast<std::ptrdiff_t>(first * kClasses));
    };
    if (c.noise == DC_NOISE_PATH) {
      only(taus, 0);
    } else {
      for (std::size_t t = 0; t < taus.size(); ++t) only({taus[t]}, t);
    }
  }
  return terms;
}

// What the rule makes of all residuals, one tau at a time, and the rows that it asks for: rows[level][tau] are sets of classes.
std::vector<double> by_definition(const Case& c, const std::vector<std::vector<double>>& terms, const dc_prune& rule, std::int64_t& calls) {
  std::vector<double> losses(c.taus.size() * kClasses);
  std::vector<std::vector<std::set<std::int32_t>>> rows(terms.size(), std::vector<std::set<std::int32_t>>(c.taus.size()));
  const std::size_t levels = c.taus[0].upper.size(), sifts = c.taus[0].sift.upper.size();
  // The levels of a pass are those that any of its taus weighs.
  const auto order_of = [&](std::size_t tau) {
    std::vector<std::size_t> pass, order;
    for (std::size_t i = 0; i < levels; ++i) {
      bool weighed = c.taus[tau].weights[i] > 0;
      if (c.noise == DC_NOISE_PATH) {
        for (const TauData& other : c.taus) weighed = weighed || other.weights[i] > 0;
      }
      if (weighed) pass.push_back(i);
    }
    for (const std::size_t k : interleaved(pass.size())) {
      if (c.taus[tau].weights[pass[k]] > 0) order.push_back(pass[k]);
    }
    return order;
  };
  for (std::size_t t = 0; t < c.taus.size(); ++t) {
    Contest contest(kClasses, levels);
    const auto term = [&](std::size_t i, std::int32_t y) { return terms[i][t * kClasses + static_cast<std::size_t>(y)]; };
    if (rule.kind == DC_PRUNE_PUBLISHED && rule.keep < kClasses) {
      for (std::size_t i = levels; i < levels + sifts && static_cast<std::int32_t>(contest.alive().size()) > rule.keep; ++i) {
        if (c.taus[t].sift.weights[i - levels] == 0) continue;
        for (const std::int32_t y : alive(contest)) contest.take_sifting(y, term(i, y)), rows[i][t].insert(y);
        contest.drop_above(rule.threshold);
      }
      contest.keep_best(rule.keep);
    }
    const auto order = order_of(t);
    for (const std::size_t i : order) {
      if (contest.decided()) break;
      for (const std::int32_t y : alive(contest)) contest.take(y, i, term(i, y)), rows[i][t].insert(y);
      contest.level_done(i);
      if (rule.kind == DC_PRUNE_PAIRED) contest.drop_behind(normal_bound(rule.error, kClasses), order.size());
    }
    contest.losses({losses.data() + t * kClasses, kClasses});
  }
  const std::int64_t estimates = c.kind == DC_APNDC_CONDITIONAL ? kClasses : c.kind == DC_APNDC || c.kind == DC_APNDC_ENSEMBLE ? 1 : 0;
  calls = c.noise == DC_NOISE_PATH ? estimates : estimates * static_cast<std::int64_t>(c.taus.size());
  for (const auto& level : rows) {
    std::set<std::int32_t> both;
    for (const auto& tau : level) {
      if (c.noise != DC_NOISE_PATH) calls += static_cast<std::int64_t>(tau.size());
      both.insert(tau.begin(), tau.end());
    }
    if (c.noise == DC_NOISE_PATH) calls += static_cast<std::int64_t>(both.size());
  }
  return losses;
}

void test_votes_are_the_rule_applied() {
  const auto model = tiny_model("cpu", 2, 16);
  std::int64_t dropped = 0;
  for (const Case& c : sifted_cases()) {
    for (const std::uint32_t sample : {0u, 9u}) {
      const auto terms = terms_of(model.get(), c, sample);
      for (const dc_prune& rule : {paired(0.5), paired(0.1), published(1e-3, 2), published(1e-2, 1), published(0, 3)}) {
        const Handle classifier = open(model.get(), c.kind, c.noise, c.taus, 7, &rule);
        std::int64_t wanted_calls = 0, calls = 0, most = 0;
        const auto wanted = by_definition(c, terms, rule, wanted_calls);
        const auto found = losses(classifier.get(), image(3), sample, c.taus.size());
        CHECK(std::memcmp(found.data(), wanted.data(), found.size() * sizeof(double)) == 0)
            << "kind " << c.kind << " noise " << c.noise << " rule " << rule.kind << " sample " << sample;
        dropped += std::count(found.begin(), found.end(), kInfinity);
        const auto vote = votes(classifier.get(), 3, sample, sample + 1, c.taus.size(), &calls);
        for (std::size_t t = 0; t < c.taus.size(); ++t) {
          const auto* row = wanted.data() + t * kClasses;
          CHECK(vote[t] == std::min_element(row, row + kClasses) - row) << "kind " << c.kind << " tau " << t;
        }
        CHECK(calls == wanted_calls) << "kind " << c.kind << " noise " << c.noise << " rule " << rule.kind << ": " << calls << " " << wanted_calls;
        CHECK(dc_classifier_calls_per_sample(classifier.get(), &most) == DC_OK && calls <= most) << calls << " of " << most;
      }
    }
  }
  CHECK(dropped > 100) << "only " << dropped << " classes were dropped in all";
}

// Every way to cut the work gives the same votes for the same calls.
void test_invariance() {
  constexpr std::uint32_t kSamples = 5;
  const auto one = tiny_model("cpu", 1, 61), two = tiny_model("cpu", 2, 61), narrow = tiny_model("cpu", 2, 3);
  const std::uint32_t cuts[] = {0, 1, 3, 3, kSamples};
  for (const Case& c : sifted_cases()) {
    const std::size_t taus = c.taus.size();
    for (const dc_prune& rule : {paired(0.3), published(3e-3, 2)}) {
      std::int64_t wanted_calls = 0;
      const auto wanted = votes(open(one.get(), c.kind, c.noise, c.taus, 1, &rule).get(), 2, 0, kSamples, taus, &wanted_calls);
      const std::pair<dc_model*, std::vector<std::int64_t>> runs[] = {{two.get(), {1, 2, 3, 7, 16, 61}}, {one.get(), {16}}, {narrow.get(), {3}}};
      for (const auto& [model, batches] : runs) {
        for (const std::int64_t batch : batches) {
          const Handle classifier = open(model, c.kind, c.noise, c.taus, batch, &rule);
          std::int64_t calls = 0, parts = 0;
          CHECK(votes(classifier.get(), 2, 0, kSamples, taus, &calls) == wanted) << "kind " << c.kind << " rule " << rule.kind << " batch " << batch;
          CHECK(calls == wanted_calls) << "batch " << batch;
          if (batch != 3 && batch != 61) continue;
          for (std::size_t s = std::size(cuts) - 1; s > 0; --s) {
            const auto part = votes(classifier.get(), 2, cuts[s - 1], cuts[s], taus, &calls);
            parts += calls;
            const std::size_t size = cuts[s] - cuts[s - 1];
            for (std::size_t t = 0; t < taus; ++t) {
              CHECK(std::equal(part.begin() + static_cast<std::ptrdiff_t>(t * size), part.begin() + static_cast<std::ptrdiff_t>((t + 1) * size),
                               wanted.begin() + static_cast<std::ptrdiff_t>(t * kSamples + cuts[s - 1])))
                  << "kind " << c.kind << " shard " << s << " tau " << t;
            }
          }
          CHECK(parts == wanted_calls) << "shards of batch " << batch;
        }
      }
    }
  }
}

void test_refusals() {
  const auto model = tiny_model("cpu", 1, 4);
  const auto refused = [&](dc_classifier_kind kind, dc_noise_mode noise, const std::vector<TauData>& taus, const dc_prune& rule) {
    std::vector<dc_tau> views;
    for (const TauData& tau : taus) views.push_back(tau.view());
    dc_classifier* classifier = nullptr;
    const dc_status status = dc_classifier_create(model.get(), nullptr, kind, 1, noise, 1, static_cast<std::int32_t>(views.size()), views.data(), &rule, 0,
                                                  &classifier);
    if (status == DC_OK) dc_classifier_close(classifier);
    return status == DC_BAD_ARGUMENT;
  };
  const auto good = sifted_cases()[0].taus;
  CHECK(!refused(DC_EPNDC, DC_NOISE_PATH, good, published(0, 1)));
  CHECK(!refused(DC_DC, DC_NOISE_INTEGER, cases()[0].taus, paired(0.5))) << "paired pruning reads no sifting levels";
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, cases()[0].taus, published(0, 1))) << "no levels that sift";
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, published(-1, 1)));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, published(kInfinity, 1)));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, published(0, 0)));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, paired(0.51)));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, paired(std::nan(""))));
  CHECK(refused(DC_DC, DC_NOISE_INTEGER, good, {static_cast<dc_prune_kind>(3), 0, 1, 0}));
  auto other = good;
  other[1].sift.upper.back() = 2.5;
  CHECK(refused(DC_EPNDC, DC_NOISE_PATH, other, published(0, 1))) << "levels that sift must be shared on a path";
}

}  // namespace

int main() {
  test_interleaved_order();
  test_quantiles();
  test_sifting();
  test_constructed_races();
  test_error_rate();
  test_nothing_dropped_is_exhaustive();
  test_votes_are_the_rule_applied();
  test_invariance();
  test_refusals();
  return check::finish();
}
