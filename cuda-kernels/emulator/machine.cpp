#include "emulator/machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <utility>
#include <vector>

#include "emulator/async.hpp"
#include "emulator/shadow.hpp"

namespace diffcert::emulator {
namespace {

// Threads that do something together: a warp, or a warpgroup.
struct Meeting {
  std::array<void*, kWarpgroup> lanes{};
  int arrived = 0;
  Op op = nullptr;
  const char* name = "";
  Where where;
};

struct Barrier {
  int arrived = 0, wanted = 0;
  Clock clock;  // what those who came have released
  Where where;
};

// Unwinds a fiber up to fiber_main, so that nothing is left on its stack.
struct Found {};

std::string place(const Where& where) {
  const std::string file = where.file_name();
  return file.substr(file.find_last_of('/') + 1) + ":" + std::to_string(where.line());
}

// One OS thread's emulated multiprocessor: reused from launch to launch, so that stacks are mapped once.
class Machine {
 public:
  std::optional<Fault> run(const Launch& launch) {
    launch_ = &launch;
    fault_.reset();
    if (auto wrong = refuse()) return Fault{FaultKind::bad_launch, std::string("Kernel ") + launch.kernel + ": " + *wrong + "."};
    prepare();
    std::vector<std::int64_t> blocks(static_cast<std::size_t>(launch.grid.count()));
    std::iota(blocks.begin(), blocks.end(), 0);
    random_.seed(launch.seed);
    arrange(blocks);
    for (const std::int64_t block : blocks) {
      const std::int64_t x = launch.grid.x, y = launch.grid.y;
      block_index = {static_cast<std::uint32_t>(block % x), static_cast<std::uint32_t>(block / x % y),
                     static_cast<std::uint32_t>(block / (x * y))};
      run_block();
      if (fault_) break;
    }
    return std::exchange(fault_, std::nullopt);
  }

  [[noreturn]] void fail(FaultKind kind, const std::string& what, const Where& where) {
    record(kind, *self, what, where);
    throw Found();
  }

  void wait(Thread::State state, const Where& where) {
    self->state = state;
    self->where = where;
    self->context.switch_to(loop_);
  }

  unsigned char* shared() { return shared_.data(); }
  std::int64_t shared_bytes() const { return launch_->shared_bytes; }
  Shadow& shadow() { return shadow_; }
  Async& async() { return async_; }

  void sync_threads(const Where& where) {
    Barrier& all = barriers_[0];
    if (all.arrived > 0 && (all.where.line() != where.line() || std::strcmp(all.where.file_name(), where.file_name()) != 0)) {
      fail(FaultKind::divergent_barrier, "waits for the block here while others wait at " + place(all.where), where);
    }
    all.where = where;
    if (++all.arrived < count_) return wait(Thread::State::barrier, where);
    all.arrived = 0;
    shadow_.join_block();
    for (int t = 0; t < count_; ++t) threads_[static_cast<std::size_t>(t)].state = Thread::State::ready;
  }

  void sync_named(int id, int threads, bool waits, const Where& where) {
    if (id < 1 || id > 15) fail(FaultKind::divergent_barrier, "names barrier " + std::to_string(id) + ", there are 1 to 15", where);
    Barrier& barrier = barriers_[static_cast<std::size_t>(id)];
    if (barrier.arrived > 0 && barrier.wanted != threads) {
      fail(FaultKind::divergent_barrier, "wants " + std::to_string(threads) + " threads at barrier " + std::to_string(id) +
                                             ", others want " + std::to_string(barrier.wanted), where);
    }
    if (threads % kWarp != 0 || threads < kWarp || threads > count_) {
      fail(FaultKind::divergent_barrier, "wants " + std::to_string(threads) + " threads at a barrier, must be whole warps of the block", where);
    }
    if (barrier.arrived == 0) barrier.clock = shadow_.clock();
    barrier.wanted = threads;
    shadow_.release(barrier.clock, self->number);
    if (++barrier.arrived < threads) {
      if (!waits) return;
      waiting_at_[static_cast<std::size_t>(self->number)] = id;
      return wait(Thread::State::barrier, where);
    }
    if (waits) shadow_.acquire(barrier.clock, self->number);
    for (int t = 0; t < count_; ++t) {
      int& at = waiting_at_[static_cast<std::size_t>(t)];
      if (at != id) continue;
      at = 0;
      shadow_.acquire(barrier.clock, t);
      threads_[static_cast<std::size_t>(t)].state = Thread::State::ready;
    }
    barrier = {};
  }

  void wait_phase(std::int64_t at, int parity, const Where& where) {
    self->phase_of = at, self->parity = parity;
    if (!async_.passed(at, parity, self->number)) wait(Thread::State::phase, where);
  }

  void collective(Op op, void* mine, bool memory, const char* name, const Where& where) {
    meet(of_warp_[static_cast<std::size_t>(self->warp)], kWarp, "warp", op, mine, memory, name, where);
  }
  void group_collective(Op op, void* mine, const char* name, const Where& where) {
    meet(of_group_[static_cast<std::size_t>(self->warp / 4)], kWarpgroup, "warpgroup", op, mine, false, name, where);
  }

 private:
  void meet(Meeting& meeting, int size, const char* whole, Op op, void* mine, bool memory, const char* name, const Where& where) {
    if (meeting.arrived > 0 && (meeting.op != op || meeting.where.line() != where.line())) {
      fail(FaultKind::incomplete_warp, std::string("comes to ") + name + " while others of its " + whole + " wait in " + meeting.name + " at " +
                                           place(meeting.where), where);
    }
    meeting.op = op, meeting.name = name, meeting.where = where;
    const int first = self->number / size * size;
    meeting.lanes[static_cast<std::size_t>(self->number - first)] = mine;
    if (++meeting.arrived < size) return wait(Thread::State::collective, where);
    meeting.arrived = 0;
    op(meeting.lanes.data());
    if (memory) shadow_.join_warp(self->warp);
    for (int t = first; t < first + size; ++t) threads_[static_cast<std::size_t>(t)].state = Thread::State::ready;
  }

  std::optional<std::string> refuse() const {
    const std::int64_t threads = launch_->block.count();
    if (threads < 1 || threads > kMaxThreads || threads % kWarp != 0) {
      return "a block of " + std::to_string(threads) + " threads, must be whole warps, at most 1024 threads";
    }
    if (launch_->grid.count() < 1 || launch_->grid.y > 65535 || launch_->grid.z > 65535) return "an empty grid, or one beyond 65535 in y or z";
    if (launch_->shared_bytes < 0 || launch_->shared_bytes > kMaxShared) {
      return std::to_string(launch_->shared_bytes) + " bytes of shared memory, a block has at most " + std::to_string(kMaxShared);
    }
    return std::nullopt;
  }

  void prepare() {
    count_ = static_cast<int>(launch_->block.count());
    warps_ = count_ / kWarp;
    if (!stacks_ || stacks_->count() < count_) stacks_ = std::make_unique<Stacks>(count_);
    if (threads_.size() < static_cast<std::size_t>(count_)) threads_ = std::vector<Thread>(static_cast<std::size_t>(count_));
    if (shared_.empty()) shared_.resize(static_cast<std::size_t>(kMaxShared) + 128);
    block_size = launch_->block;
    grid_size = launch_->grid;
    for (int t = 0; t < count_; ++t) {
      Thread& thread = threads_[static_cast<std::size_t>(t)];
      const std::uint32_t n = static_cast<std::uint32_t>(t);
      thread.index = {n % block_size.x, n / block_size.x % block_size.y, n / (block_size.x * block_size.y)};
      thread.number = t, thread.lane = t % kWarp, thread.warp = t / kWarp;
    }
  }

  template <class T>
  void arrange(std::vector<T>& order) {
    if (launch_->seed == 1) std::reverse(order.begin(), order.end());
    if (launch_->seed > 1) std::shuffle(order.begin(), order.end(), random_);
  }

  void run_block();
  void report_stuck();

  void record(FaultKind kind, const Thread& thread, const std::string& what, const Where& where) {
    std::ostringstream text;
    const auto triple = [&](const Dim& d) -> std::ostream& { return text << '(' << d.x << ", " << d.y << ", " << d.z << ')'; };
    text << "Kernel " << launch_->kernel << ", block ";
    triple(block_index) << ", thread ";
    triple(thread.index) << ", " << place(where) << ": " << what << '.';
    fault_ = Fault{kind, text.str()};
  }

  void record(const Complaint& complaint) {
    record(complaint.kind, threads_[static_cast<std::size_t>(complaint.thread)], complaint.text, complaint.where);
  }

  const Launch* launch_ = nullptr;
  std::optional<Fault> fault_;
  int count_ = 0, warps_ = 0;
  std::unique_ptr<Stacks> stacks_;
  std::vector<Thread> threads_;
  std::vector<int> order_;
  std::array<Meeting, kMaxWarps> of_warp_{};
  std::array<Meeting, kMaxWarps / 4> of_group_{};
  std::array<Barrier, 16> barriers_{};
  std::array<int, kMaxThreads> waiting_at_{};  // the named barrier, or 0
  std::vector<unsigned char> shared_;
  Shadow shadow_;
  Async async_{shadow_};
  Context loop_;
  std::mt19937_64 random_;

  friend void fiber_main();
};

// A plain pointer, since every access to shared memory reads it; the owner is another, which a thread's end destroys.
constinit thread_local Machine* of_thread = nullptr;

Machine& machine() {
  if (of_thread == nullptr) {
    thread_local const auto owner = std::make_unique<Machine>();
    of_thread = owner.get();
  }
  return *of_thread;
}

void fiber_main() {
  Machine& m = *of_thread;
  try {
    m.launch_->body(m.launch_->params);
  } catch (const Found&) {
    // The fault is recorded; the loop ends the launch.
  }
  self->state = Thread::State::done;
  self->context.finish(m.loop_);
}

void Machine::run_block() {
  shadow_.begin(count_, launch_->shared_bytes);
  async_.begin();
  std::memset(shared_.data(), 0xff, static_cast<std::size_t>(launch_->shared_bytes));
  of_warp_.fill({});
  of_group_.fill({});
  barriers_.fill({});
  waiting_at_.fill(0);
  order_.resize(static_cast<std::size_t>(count_));
  std::iota(order_.begin(), order_.end(), 0);
  if (launch_->seed == 1) arrange(order_);
  for (int t = 0; t < count_; ++t) {
    Thread& thread = threads_[static_cast<std::size_t>(t)];
    thread.state = Thread::State::ready;
    thread.where = {};
    thread.copies.clear();
    thread.groups = 0;
    thread.register_fences = 0;
    thread.context.start(stacks_->at(t), Stacks::kBytes - 4096, &fiber_main);
  }
  int done = 0;
  while (done < count_) {
    if (launch_->seed > 1) arrange(order_);
    bool progress = false;
    for (const int t : order_) {
      Thread& thread = threads_[static_cast<std::size_t>(t)];
      if (thread.state == Thread::State::phase && async_.passed(thread.phase_of, thread.parity, t)) thread.state = Thread::State::ready;
      if (thread.state != Thread::State::ready) continue;
      progress = true;
      self = &thread;
      loop_.switch_to(thread.context);
      if (fault_) return;
      if (thread.state == Thread::State::done) ++done;
    }
    const auto [wrong, landed] = async_.advance(!progress && done < count_, launch_->seed > 1, random_);
    if (wrong) return record(*wrong);
    if (!progress && !landed) return report_stuck();
  }
  if (const auto wrong = async_.left_over()) record(*wrong);
}

// Nobody can go on: a warp waits for lanes that will not come, or a barrier for threads.
void Machine::report_stuck() {
  const auto doing = [&](const Thread& other) {
    return "thread " + std::to_string(other.number) + (other.state == Thread::State::done ? " has returned" : " waits at " + place(other.where));
  };
  const auto incomplete = [&](const auto& meetings, std::ptrdiff_t size, const char* whole) {
    for (const Meeting& meeting : meetings) {
      if (meeting.arrived == 0) continue;
      const auto first = (&meeting - meetings.data()) * size;
      const Thread *waits = nullptr, *missing = nullptr;
      for (auto t = first; t < first + size; ++t) {
        const Thread& thread = threads_[static_cast<std::size_t>(t)];
        (thread.state == Thread::State::collective ? waits : missing) = &thread;
      }
      record(FaultKind::incomplete_warp, *waits, std::string(meeting.name) + " waits for a whole " + whole + ", but " + doing(*missing), waits->where);
      return true;
    }
    return false;
  };
  if (incomplete(of_warp_, kWarp, "warp") || incomplete(of_group_, kWarpgroup, "warpgroup")) return;
  for (int t = 0; t < count_; ++t) {
    const Thread& thread = threads_[static_cast<std::size_t>(t)];
    if (thread.state != Thread::State::phase) continue;
    return record(FaultKind::bad_barrier, thread, "waits for ever for parity " + std::to_string(thread.parity) + " of " + async_.missing(thread.phase_of),
                  thread.where);
  }
  const Thread* waits = nullptr;
  for (int t = 0; t < count_ && waits == nullptr; ++t) {
    if (threads_[static_cast<std::size_t>(t)].state == Thread::State::barrier) waits = &threads_[static_cast<std::size_t>(t)];
  }
  const int id = waiting_at_[static_cast<std::size_t>(waits->number)];
  const Thread* missing = nullptr;
  for (int t = 0; t < count_ && missing == nullptr; ++t) {
    const Thread& thread = threads_[static_cast<std::size_t>(t)];
    if (thread.state != Thread::State::barrier || waiting_at_[static_cast<std::size_t>(t)] != id) missing = &thread;
  }
  record(FaultKind::divergent_barrier, *waits, "waits at a barrier for ever" + (missing == nullptr ? std::string() : ": " + doing(*missing)),
         waits->where);
}

}  // namespace

constinit thread_local Thread* self = nullptr;
constinit thread_local Dim block_index, block_size, grid_size;

std::optional<Fault> run(const Launch& launch) { return machine().run(launch); }

[[noreturn]] void fail(FaultKind kind, const std::string& what, const Where& where) { machine().fail(kind, what, where); }
unsigned char* shared_memory() { return machine().shared(); }
std::int64_t shared_size() { return machine().shared_bytes(); }

[[noreturn]] void judge(const Shadow::Finding& finding, std::int64_t bytes, Access access, const char* array, const Where& where) {
  const std::string what = std::string(access == Access::read ? "reads " : "writes ") + std::to_string(bytes) + " bytes of '" + array +
                           "' at byte " + std::to_string(finding.byte) + " of shared memory";
  const bool unit = of_thread->shadow().is_unit(finding.other), engine = finding.other == of_thread->shadow().unit(0);
  const std::string other = engine ? "a bulk copy" : unit ? "a product" : "thread " + std::to_string(finding.other);
  switch (finding.verdict) {
    case Shadow::Verdict::uninitialised: fail(FaultKind::uninitialised_shared, what + ", which nobody has written yet", where);
    case Shadow::Verdict::pending:
      fail(FaultKind::pending_copy, what + (unit ? " which a bulk copy has yet to bring" : " before " + other + " has waited for its copy"), where);
    case Shadow::Verdict::unfenced:
      fail(FaultKind::unfenced, what + " through the asynchronous proxy, which " + other + " wrote with no fence_async_proxy() before the barrier", where);
    default:
      fail(FaultKind::race, what + ", which " + other + (finding.other_wrote ? " wrote" : " read") +
                                (unit ? " and nobody has waited for" : " with no barrier in between"), where);
  }
}

std::int64_t offset_of(const void* at) { return static_cast<const unsigned char*>(at) - of_thread->shared(); }

void note_shared(const void* at, std::int64_t bytes, std::int64_t element, Access access, const char* array, const Where& where) {
  const Shadow::Finding finding = of_thread->shadow().note(offset_of(at), bytes, element, access, self->number);
  if (finding.verdict != Shadow::Verdict::fine) judge(finding, bytes, access, array, where);
}
void note_pending(const void* at, std::int64_t bytes, std::int64_t element, const char* array, const Where& where) {
  const Shadow::Finding finding = of_thread->shadow().note_pending(offset_of(at), bytes, element, self->number);
  if (finding.verdict != Shadow::Verdict::fine) judge(finding, bytes, Access::write, array, where);
}
void queue_copy(void* to, const void* from, std::int64_t element) { self->copies.push_back({to, from, element, self->groups}); }
void commit_copies() { ++self->groups; }
void wait_copies(int pending) {
  std::erase_if(self->copies, [&](const Copy& copy) {
    if (copy.group + static_cast<std::uint32_t>(pending) >= self->groups) return false;
    if (copy.from != nullptr) std::memcpy(copy.to, copy.from, 16);
    else std::memset(copy.to, 0, 16);
    of_thread->shadow().finish_pending(offset_of(copy.to), 16, copy.element, self->number);
    return true;
  });
}

void sync_threads(const Where& where) { machine().sync_threads(where); }
void sync_named(int id, int threads, bool wait, const Where& where) { machine().sync_named(id, threads, wait, where); }
void collective(Op op, void* mine, bool memory, const char* name, const Where& where) { machine().collective(op, mine, memory, name, where); }

void note_array(const void* at, std::int64_t bytes, const char* name) { of_thread->async().note_array(offset_of(at), bytes, name); }
void barrier_init(const void* at, int arrivals, const Where& where) { of_thread->async().init(offset_of(at), arrivals, where); }
void barrier_arrive(const void* at, std::int64_t expected, const Where& where) { of_thread->async().arrive(offset_of(at), expected, where); }
void barrier_wait(const void* at, int parity, const Where& where) {
  note_shared(at, 8, 8, Access::read, "barrier", where);
  of_thread->wait_phase(offset_of(at), parity, where);
}
void bulk_copy(void* to, const void* from, std::int64_t bytes, std::int64_t element, const char* array, const void* barrier, const Where& where) {
  of_thread->async().copy(offset_of(to), from, bytes, element, array, offset_of(barrier), where);
}
void fence_async_proxy() { of_thread->shadow().fence(self->number); }

void matrix_multiply(Multiplication& mine, const Where& where) {
  mine.where = &where;
  of_thread->group_collective(
      [](void* const* lanes) {
        const auto& first = *static_cast<const Multiplication*>(lanes[0]);
        std::array<float*, kWarpgroup> sums;
        for (std::size_t t = 0; t < kWarpgroup; ++t) {
          const auto& other = *static_cast<const Multiplication*>(lanes[t]);
          if (other.a != first.a || other.b != first.b || other.columns != first.columns || other.add != first.add) {
            fail(FaultKind::bad_descriptor, "multiplies other matrices than others of its warpgroup", *first.where);
          }
          sums[t] = other.sums;
        }
        const std::uint32_t epoch = of_thread->async().multiply(self->warp / 4, {first.a, first.b, first.columns, first.add}, sums, *first.where);
        for (std::size_t t = 0; t < kWarpgroup; ++t) static_cast<Multiplication*>(lanes[t])->epoch = epoch;
      },
      &mine, "wgmma", where);
}
void matrix_commit(const Where& where) {
  collective([](void* const*) { of_thread->async().commit(self->warp); }, nullptr, false, "wgmma_commit", where);
}
void matrix_wait(int pending, const Where& where) {
  collective([](void* const* lanes) { of_thread->async().wait(self->warp, *static_cast<const int*>(lanes[0])); }, &pending, false, "wgmma_wait", where);
}
bool sums_made(std::uint32_t epoch) { return of_thread->shadow().knows(self->number, of_thread->shadow().unit(1 + self->warp / 4), epoch); }
void meet_warpgroup(const char* name, const Where& where) {
  of_thread->group_collective([](void* const*) {}, nullptr, name, where);
}

}  // namespace diffcert::emulator
