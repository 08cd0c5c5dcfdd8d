// One vote in the making, when not all classes are computed to the end: which classes are still in it, what is known of each, and when a class
// is dropped. Everything is a pure function of the terms that are taken, in the order in which they are taken; docs/spec/pruning.md derives it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffcert/diffcert.h"

namespace diffcert {

// How classes are dropped, as dc_prune has it.
struct PruneRule {
  dc_prune_kind kind = DC_PRUNE_NONE;
  double threshold = 0;    // published: how far above the least sum
  std::int32_t keep = 0;   // published: classes at most that are computed in full
  double error = 0;        // paired: nominal probability of dropping the class with the least loss
};

// The order in which n levels are gone through so that every beginning of it is spread over all of them: van der Corput's 1/2, 1/4, 3/4, 1/8,
// ..., each times n and rounded down, repetitions left out.
std::vector<std::size_t> interleaved(std::size_t n);

// The normal quantile that goes with an error shared out over the other classes; infinity for error 0, which drops nothing.
double normal_bound(double error, std::int32_t classes);

// The square of Student's quantile with nu degrees of freedom where the normal one is z (Wallace's approximation, no library call).
double squared_student(double z, double nu);

class Contest {
 public:
  // levels: how many positions take() may name.
  Contest(std::int32_t classes, std::size_t levels);

  // The classes that are still in it, ascending.
  std::span<const std::int32_t> alive() const { return alive_; }
  bool has(std::int32_t label) const { return in_[static_cast<std::size_t>(label)] != 0; }
  // Nothing more to compute: one class is left, or a value was not finite.
  bool decided() const { return spoiled_ || alive_.size() == 1; }

  // The weighted residual of a class at a level of the vote, once each; dropped classes are passed over.
  void take(std::int32_t label, std::size_t position, double term);
  // All classes alive have been taken at this level.
  void level_done(std::size_t position) { done_.push_back(position); }
  // The same at a level that only sifts: it goes into a sum of its own.
  void take_sifting(std::int32_t label, double term);

  // Published: drops classes whose sifting sum exceeds the least by more than the threshold.
  void drop_above(double threshold);
  // Published: leaves the keep classes of least sifting sum, the lowest among equals.
  void keep_best(std::int32_t keep);
  // Paired: drops classes whose loss over all of `levels` levels is not plausibly below the leader's. z: normal_bound.
  void drop_behind(double z, std::size_t levels);

  // The losses as the vote compares them: sums over levels in ascending order; +infinity for a dropped class; NaN for all if a value of a class
  // that was in it was not finite. The sum of a class that was left alone early covers the levels computed by then.
  void losses(std::span<double> out) const;

 private:
  double term(std::int32_t label, std::size_t position) const { return terms_[static_cast<std::size_t>(label) * levels_ + position]; }
  template <class Stays>
  void retain(Stays stays);

  std::size_t levels_;
  bool spoiled_ = false;
  std::vector<std::int32_t> alive_;
  std::vector<std::uint8_t> in_;       // [classes]
  std::vector<double> terms_, sums_;   // [classes, levels], [classes] of sifting
  std::vector<std::size_t> done_;      // positions in the order they were computed
};

}  // namespace diffcert
