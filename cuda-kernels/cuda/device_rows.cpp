#include "cuda/device_rows.hpp"

#include <algorithm>
#include <cstring>

#include "core/arena.hpp"
#include "core/status.hpp"

namespace diffcert::cuda {
namespace {

constexpr std::int64_t kTableBytes = std::int64_t{32} << 20;  // at least; a GPU gives a sixteenth of its memory

std::int64_t table_elements(const Device& device) {
  return std::max(kTableBytes, device.properties().memory / 16) / static_cast<std::int64_t>(sizeof(float));
}

bool together(const Row& a, const Row& b) { return a.level == b.level && a.sample == b.sample; }

}  // namespace

template <class T>
std::int64_t DeviceRows::Parcel::add(std::span<const T> values) {
  bytes_.resize((bytes_.size() + 15) / 16 * 16);
  const std::size_t offset = bytes_.size();
  bytes_.resize(offset + values.size_bytes());
  if (!values.empty()) std::memcpy(bytes_.data() + offset, values.data(), values.size_bytes());
  return static_cast<std::int64_t>(offset);
}

void DeviceRows::Parcel::send(const std::shared_ptr<Device>& device) {
  const auto needed = static_cast<std::int64_t>(bytes_.size());
  if (needed > memory_.bytes()) {
    memory_ = {};
    memory_ = DeviceMemory(device, needed);
  }
  device->upload(memory_.data(), bytes_.data(), needed);
}

DeviceRows::DeviceRows(std::shared_ptr<Device> device, const SplitPlan& split, const std::vector<Step>& steps, float* arena, std::int64_t chunk,
                       bool half)
    : device_(std::move(device)), split_(split), steps_(steps), arena_(arena), chunk_(chunk), elements_(elements(split.rows.image)), half_(half),
      table_(device_, split, steps, table_elements(*device_)) {}

void DeviceRows::stage(const StagedSamples& samples) {
  const std::size_t count = samples.keys.size(), cells = count * static_cast<std::size_t>(elements_);
  invariant(samples.positions.size() == cells * static_cast<std::size_t>(samples.taus), "positions of another number of samples");
  invariant(samples.estimates.empty() || samples.estimates.size() == cells * static_cast<std::size_t>(samples.estimates_each),
            "estimates of another number of samples");
  invariant(samples.posterior || samples.taus == 1, "several taus for one residual");
  staged_ = samples;
  staged_.keys = {}, staged_.positions = staged_.estimates = {};  // the caller's
  samples_.clear();
  const std::int64_t keys = samples_.add(samples.keys), positions = samples_.add(samples.positions), estimates = samples_.add(samples.estimates);
  samples_.send(device_);
  keys_ = samples_.at<NoiseKey>(keys, count);
  positions_ = samples_.at<double>(positions, samples.positions.size());
  estimates_ = samples_.at<double>(estimates, samples.estimates.size());
}

void DeviceRows::check(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows) const {
  invariant(mix.size() == (staged_.posterior ? levels.size() * static_cast<std::size_t>(staged_.taus) : 0), "posterior means of other levels");
  for (const Row& row : rows) {
    invariant(row.level >= 0 && static_cast<std::size_t>(row.level) < levels.size() && row.sample >= 0 && row.sample < keys_.count &&
                  row.label >= (staged_.estimates_each > 1 || shares_bodies() ? 0 : -1) &&
                  row.label < (shares_bodies() ? split_.rows.heads - 1 : split_.table.label_dim),
              "a row of a level, sample or class that there is not");
    invariant(levels[static_cast<std::size_t>(row.level)].base < staged_.taus, "a level that starts from a tau that there is not");
  }
}

void DeviceRows::run(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows, std::span<double> residuals) {
  const auto taus = static_cast<std::size_t>(staged_.taus);
  invariant(residuals.size() == rows.size() * taus, "residuals of other rows");
  check(levels, mix, rows);
  for (std::size_t from = 0, to = 0; from < rows.size(); from = to) {
    to = chunk_end(rows, from);
    const std::size_t count = to - from;
    std::vector<Row> part(rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(from + count));
    for (std::size_t r = 0; r < count; ++r) part[r].place = static_cast<std::int32_t>(r);
    const Span<double> made = place(residuals_, static_cast<std::int64_t>(count * taus));
    run_chunk(levels, mix, part, made);
    device_->download(residuals.data() + from * taus, made.data, made.count * static_cast<std::int64_t>(sizeof(double)));
  }
}

void DeviceRows::reserve(std::int64_t places) {
  invariant(places > 0 && places <= INT32_MAX, "too many rows for one vote");
  places_ = places;
  place(kept_, places * staged_.taus);
}

void DeviceRows::keep(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows) {
  check(levels, mix, rows);
  for (const Row& row : rows) invariant(row.place >= 0 && row.place < places_, "a row without a place");
  for (std::size_t from = 0, to = 0; from < rows.size(); from = to) {
    to = chunk_end(rows, from);
    run_chunk(levels, mix, rows.subspan(from, to - from), place(kept_, places_ * staged_.taus));
  }
}

void DeviceRows::votes(const Tally& tally) {
  const std::int64_t samples = keys_.count, taus = staged_.taus, cells = samples * taus, losses = cells * tally.classes;
  invariant(samples * tally.classes * tally.levels == places_ && static_cast<std::int64_t>(tally.weights.size()) == taus * tally.levels &&
                static_cast<std::int64_t>(tally.certain.size()) == samples && static_cast<std::int64_t>(tally.votes.size()) == cells &&
                (tally.losses.empty() || static_cast<std::int64_t>(tally.losses.size()) == losses),
            "votes of other rows than were kept");
  batch_.clear();
  const std::int64_t weights = batch_.add(tally.weights), certain = batch_.add(tally.certain);
  batch_.send(device_);
  const Span<double> kept = place(kept_, places_ * taus), cast = place(cast_, losses + cells);  // losses, then votes, which need half their share
  const Span<std::int32_t> votes{reinterpret_cast<std::int32_t*>(cast.data + losses), cells};
  device_->launch<Kernel::vote>({static_cast<std::uint32_t>(samples), static_cast<std::uint32_t>(taus)}, kVoteThreads, kVoteShared,
                                {{kept.data, kept.count}, batch_.at<double>(weights, tally.weights.size()),
                                 batch_.at<std::uint8_t>(certain, tally.certain.size()), votes, {cast.data, losses}, static_cast<std::int32_t>(samples),
                                 tally.classes, tally.levels, staged_.taus});
  device_->download(tally.votes.data(), votes.data, static_cast<std::int64_t>(tally.votes.size_bytes()));
  if (!tally.losses.empty()) device_->download(tally.losses.data(), cast.data, static_cast<std::int64_t>(tally.losses.size_bytes()));
}

Span<double> DeviceRows::place(DeviceMemory& memory, std::int64_t numbers) const {
  const std::int64_t bytes = checked_product(numbers, sizeof(double));
  if (memory.bytes() < bytes) {
    memory = {};
    memory = DeviceMemory(device_, bytes);
  }
  return {static_cast<double*>(memory.data()), numbers};
}

std::vector<RowCell> DeviceRows::cells_of(std::span<const Row> rows) const {
  std::vector<RowCell> cells;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r > 0 && together(rows[r], rows[r - 1])) ++cells.back().count;
    else cells.push_back({rows[r].level, rows[r].sample, static_cast<std::int32_t>(r), 1});
  }
  return cells;
}

std::size_t DeviceRows::chunk_end(std::span<const Row> rows, std::size_t from) const {
  if (!shares_bodies()) return std::min(from + static_cast<std::size_t>(chunk_), rows.size());
  std::size_t to = from;
  for (std::int64_t cells = 0; to < rows.size(); ++to) {
    if (to > from && together(rows[to], rows[to - 1])) continue;
    if (cells++ == chunk_) break;
  }
  return to;
}

void DeviceRows::run_chunk(std::span<const RowLevel> levels, std::span<const PosteriorMix> mix, std::span<const Row> rows, Span<double> residuals) {
  std::vector<RowCell> cells = cells_of(rows);
  std::vector<ConditionTable::Condition> conditions;
  std::vector<std::int32_t> bodies;
  const auto noise_label = [&](std::int32_t level) { return static_cast<float>(levels[static_cast<std::size_t>(level)].noise_label); };
  if (shares_bodies()) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      conditions.emplace_back(noise_label(cells[c].level), -1);
      bodies.insert(bodies.end(), static_cast<std::size_t>(cells[c].count), static_cast<std::int32_t>(c));
      cells[c].first = static_cast<std::int32_t>(c), cells[c].count = 1;
    }
  } else {
    for (const Row& row : rows) conditions.emplace_back(noise_label(row.level), row.label);
  }
  const auto n = static_cast<std::int64_t>(conditions.size());
  const Frame frame{*device_, split_.rows.buffers, arena_, n, half_, arena_ + arena_elements(split_.rows, half_) * n};
  const std::vector<TablePlace> places = table_.places(conditions);
  std::vector<TablePart> parts;
  for (const BufferId id : split_.handed) {
    const Buffer& entry = split_.table.buffers[static_cast<std::size_t>(id)];
    parts.push_back({frame.at(id), entry.offset, static_cast<std::int32_t>(entry.elements)});
  }
  batch_.clear();
  const std::int64_t at_levels = batch_.add(levels), at_mix = batch_.add(mix), at_rows = batch_.add(rows),
                     at_cells = batch_.add(std::span<const RowCell>(cells)), at_places = batch_.add(std::span<const TablePlace>(places)),
                     at_parts = batch_.add(std::span<const TablePart>(parts)), at_bodies = batch_.add(std::span<const std::int32_t>(bodies));
  batch_.send(device_);

  const Feature &image = split_.rows.image, &output = split_.rows.output;
  const Span<const double> centre = staged_.around_estimates ? estimates_ : positions_;
  const RowSource source{batch_.at<RowLevel>(at_levels, levels.size()), keys_, centre, static_cast<std::int32_t>(keys_.count), image.channels,
                         image.height * image.width};
  device_->launch<Kernel::rows>({blocks((elements_ + 1) / 2, kRowsThreads), static_cast<std::uint32_t>(cells.size())}, kRowsThreads, 0,
                                {source, batch_.at<RowCell>(at_cells, cells.size()), frame.at(image.buffer)});
  if (!parts.empty()) {
    device_->launch<Kernel::gather>({static_cast<std::uint32_t>(parts.size()), static_cast<std::uint32_t>(n)}, kGatherThreads, 0,
                                    {table_.memory(), batch_.at<TablePlace>(at_places, places.size()), batch_.at<TablePart>(at_parts, parts.size())});
  }
  graphs_.run(*device_, n, [&] {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (split_.of_table[i] == 0) steps_[i](frame);
    }
  });
  const bool estimated = !staged_.posterior && estimates_.count > 0;
  const auto mixes = staged_.posterior ? batch_.at<PosteriorMix>(at_mix, mix.size()) : Span<const PosteriorMix>{};
  device_->launch<Kernel::residual>({static_cast<std::uint32_t>(rows.size())}, kResidualThreads, kResidualShared,
                                    {source, batch_.at<Row>(at_rows, rows.size()), mixes, estimated ? estimates_ : positions_, frame.in(output.buffer),
                                     residuals, output.channels, staged_.taus,
                                     estimated ? staged_.estimates_each : 1, staged_.clamp,
                                     shares_bodies() ? batch_.at<std::int32_t>(at_bodies, bodies.size()) : Span<const std::int32_t>{}});
}

std::int64_t DeviceRows::bytes() const { return table_.bytes() + samples_.size() + batch_.size() + residuals_.bytes() + kept_.bytes() + cast_.bytes(); }

}  // namespace diffcert::cuda
