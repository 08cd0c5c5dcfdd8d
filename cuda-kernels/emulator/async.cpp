// Barriers with phases, and bulk copies.
#include "emulator/async.hpp"

#include <algorithm>
#include <cstring>

namespace diffcert::emulator {
namespace {

constexpr std::int64_t kBarrierBytes = 8;

std::string count(std::int64_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

}  // namespace

void Async::begin() {
  arrays_.clear();
  barriers_.clear();
  copies_.clear();
  for (Unit& unit : units_) unit = {};
}

void Async::init(std::int64_t at, int arrivals, const Where& where) {
  if (arrivals < 1) fail(FaultKind::bad_barrier, "makes a barrier of " + count(arrivals, "arrival"), where);
  if (barriers_.count(at) != 0) fail(FaultKind::bad_barrier, "makes the barrier at byte " + std::to_string(at) + " a second time", where);
  note_shared(shared_memory() + at, kBarrierBytes, kBarrierBytes, Access::write, "barrier", where);
  barriers_[at] = {arrivals, arrivals, 0, 0, shadow_.clock(), shadow_.clock()};
}

Async::Barrier& Async::barrier(std::int64_t at, const Where& where) {
  note_shared(shared_memory() + at, kBarrierBytes, kBarrierBytes, Access::read, "barrier", where);
  return barriers_.at(at);
}

// Ends the phase if nothing is missing; false if more bytes came than were announced.
bool Async::complete(Barrier& b) {
  if (b.pending > 0) return true;
  if (b.bytes < 0) return false;
  if (b.bytes > 0) return true;
  b.pending = b.arrivals;
  ++b.phase;
  b.done = b.clock;
  return true;
}

void Async::arrive(std::int64_t at, std::int64_t expected, const Where& where) {
  Barrier& b = barrier(at, where);
  b.bytes += expected;
  --b.pending;
  shadow_.release(b.clock, self->number);
  if (!complete(b)) {
    fail(FaultKind::bad_barrier, "is the last to arrive at the barrier at byte " + std::to_string(at) + ", where " + count(-b.bytes, "byte") +
                                     " more came than were announced", where);
  }
}

bool Async::passed(std::int64_t at, int parity, int thread) {
  const Barrier& b = barriers_.at(at);
  if ((b.phase & 1u) == static_cast<std::uint32_t>(parity)) return false;
  shadow_.acquire(b.done, thread);
  return true;
}

std::string Async::missing(std::int64_t at) const {
  const Barrier& b = barriers_.at(at);
  return "the barrier at byte " + std::to_string(at) + " (phase " + std::to_string(b.phase) + ": " + count(b.pending, "arrival") + " and " +
         count(b.bytes, "byte") + " to come)";
}

void Async::copy(std::int64_t to, const void* from, std::int64_t bytes, std::int64_t element, const char* array, std::int64_t at, const Where& where) {
  const int engine = shadow_.unit(0), thread = self->number;
  const Barrier& b = barrier(at, where);
  // The engine counts the bytes at the barrier, so that its making must have been fenced, too.
  for (const bool data : {false, true}) {
    const Shadow::Finding finding = data ? shadow_.note_unit(to, bytes, element, Access::write, engine, thread, shadow_.known(thread))
                                         : shadow_.note_unit(at, kBarrierBytes, kBarrierBytes, Access::read, engine, thread, shadow_.known(thread));
    if (finding.verdict != Shadow::Verdict::fine) judge(finding, data ? bytes : kBarrierBytes, data ? Access::write : Access::read, data ? array : "barrier", where);
  }
  copies_.push_back({to, from, bytes, element, at, b.phase, thread, where});
}

std::optional<Complaint> Async::land(const Bulk& bulk) {
  Barrier& b = barriers_.at(bulk.barrier);
  if (b.phase != bulk.phase) {
    return Complaint{FaultKind::bad_barrier, bulk.thread, "copies " + count(bulk.bytes, "byte") + " that come when the phase of " + missing(bulk.barrier) +
                                                              " in which they were asked for is over: too few were announced", bulk.where};
  }
  const int engine = shadow_.unit(0);
  std::memcpy(shared_memory() + bulk.to, bulk.from, static_cast<std::size_t>(bulk.bytes));
  shadow_.land(bulk.to, bulk.bytes, bulk.element, engine);
  b.clock[static_cast<std::size_t>(engine)] = shadow_.finish_unit(engine);
  b.bytes -= bulk.bytes;
  if (complete(b)) return std::nullopt;
  return Complaint{FaultKind::bad_barrier, bulk.thread, "copies " + count(-b.bytes, "byte") + " more than were announced at " + missing(bulk.barrier), bulk.where};
}

std::pair<std::optional<Complaint>, bool> Async::advance(bool idle, bool shuffled, std::mt19937_64& random) {
  bool any = false;
  if (shuffled) std::shuffle(copies_.begin(), copies_.end(), random);
  for (std::size_t i = 0; i < copies_.size();) {
    if (!(idle && !any) && !(shuffled && random() % 4 == 0)) {
      ++i;
      continue;
    }
    const Bulk bulk = copies_[i];
    copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(i));
    any = true;
    if (auto wrong = land(bulk)) return {std::move(wrong), true};
  }
  return {std::nullopt, any};
}

std::optional<Complaint> Async::left_over() const {
  if (copies_.empty()) return std::nullopt;
  const Bulk& bulk = copies_.front();
  return Complaint{FaultKind::pending_copy, bulk.thread, "copies " + count(bulk.bytes, "byte") + " that nobody has waited for when the block ends", bulk.where};
}

}  // namespace diffcert::emulator
