#include "storage/journal/journal.hpp"

#include <algorithm>
#include <optional>

#include "storage/base/mutants.hpp"
#include "storage/journal/journal_format.hpp"

namespace tillsync {

namespace format = journal_format;

namespace {

constexpr std::size_t kKeptBuffer = 4 << 20;  // bytes; batches and their room are rarely longer
constexpr char kBroken[] = "the journal's disk failed earlier: check the disk, then restart this till";
constexpr char kFlushFailed[] =
    "the disk took a sale and could not keep it, for want of space: free some, then restart this till";

Result<std::vector<std::uint32_t>> segment_numbers(Disk& disk, const std::string& folder) {
  auto names = disk.list(folder);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : *names) {
    if (auto number = format::segment_number(name)) numbers.push_back(*number);
  }
  return numbers;
}

// A segment's header, and what is in it from some offset on: a start reads no more than what it needs.
struct Segment {
  std::uint64_t size = 0;
  Bytes header;
  std::uint64_t from = 0;
  Bytes batches;
};

Result<Segment> read_segment(Disk& disk, const std::string& path, std::uint64_t from) {
  auto file = disk.open(path, false);
  if (!file) return tl::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return tl::unexpected(size.error());
  auto header = (*file)->read_at(0, format::kSegmentHeaderBytes);
  if (!header) return tl::unexpected(header.error());
  from = std::min(std::max<std::uint64_t>(from, format::kSegmentHeaderBytes), *size);
  auto batches = (*file)->read_at(from, *size - from);
  if (!batches) return tl::unexpected(batches.error());
  return Segment{*size, std::move(*header), from, std::move(*batches)};
}

// Scans the segments from `from` on; the last one's unfinished end is left in `tail`.
Result<JournalReport> scan_all(Disk& disk, const std::string& folder, const std::vector<std::uint32_t>& numbers,
                               JournalPosition from, JournalPosition flushed, const Journal::Visitor& visit,
                               std::vector<Bytes>& tail_salvaged) {
  JournalReport report;
  report.end = {1, format::kSegmentHeaderBytes};
  std::optional<JournalPosition> before;  // the end of the last segment that was read
  for (std::uint32_t number : numbers) {
    if (number < from.segment) continue;
    const std::string path = folder + "/" + format::segment_name(number);
    auto segment = read_segment(disk, path, number == from.segment ? from.offset : 0);
    if (!segment) return tl::unexpected(segment.error());
    const bool last = number == numbers.back();
    const auto previous_end = format::read_segment_header(segment->header, number);
    // A crash may come before a new segment's header is flushed; nothing else is in it then.
    if (!previous_end && !(last && segment->size <= format::kSegmentHeaderBytes))
      report.damage.push_back({{number, 0}, format::kSegmentHeaderBytes, true, {}});
    if (before && before->segment + 1 == number && previous_end.value_or(0) > before->offset)
      report.damage.push_back({*before, *previous_end - before->offset, true, {}});
    auto scan = format::scan_segment(segment->batches, {number, segment->from}, visit);
    const bool bad_end = !scan.damage.empty() && scan.damage.back().at.offset >= scan.end;
    before = JournalPosition{number, bad_end ? segment->size : scan.end};  // what is said once is enough
    report.batches += scan.batches, report.ops += scan.ops;
    for (JournalDamage& damage : scan.damage) {
      damage.behind_flush = damage.behind_flush || !last || damage.at < flushed;
      report.damage.push_back(damage);
    }
    report.end = {number, std::max<std::uint64_t>(scan.end, format::kSegmentHeaderBytes)};
    if (last) tail_salvaged = std::move(scan.tail_salvaged);
  }
  return report;
}

}  // namespace

Result<Journal> Journal::open(Disk& disk, std::string folder, JournalPosition from, JournalPosition flushed,
                              const Visitor& visit, JournalReport& report, JournalSizes sizes) {
  if (auto made = disk.make_folder(folder); !made) return tl::unexpected(made.error());
  Journal journal(disk, std::move(folder), sizes);
  auto numbers = segment_numbers(disk, journal.folder_);
  if (!numbers) return tl::unexpected(numbers.error());
  if (numbers->empty()) {
    if (auto started = journal.start_segment(std::max<std::uint32_t>(from.segment, 1)); !started) {
      return tl::unexpected(started.error());
    }
    report.end = journal.end_;
    return journal;
  }
  std::vector<Bytes> salvaged;
  auto scanned = scan_all(disk, journal.folder_, *numbers, from, flushed, visit, salvaged);
  if (!scanned) return tl::unexpected(scanned.error());
  report = std::move(*scanned);
  auto file = disk.open(journal.folder_ + "/" + format::segment_name(numbers->back()), false);
  if (!file) return tl::unexpected(file.error());
  journal.file_ = std::move(*file);
  journal.end_ = report.end;
  auto size = journal.file_->size();
  if (!size) return tl::unexpected(size.error());
  journal.size_ = *size;
  auto head = journal.file_->read_at(0, format::kSegmentHeaderBytes);
  if (!head) return tl::unexpected(head.error());
  const std::uint32_t newest = numbers->back();
  if (*size <= format::kSegmentHeaderBytes && !format::read_segment_header(*head, newest)) {
    if (auto started = journal.start_segment(newest); !started) return tl::unexpected(started.error());
  }
  const bool unfinished = !report.damage.empty() && report.damage.back().at.segment == journal.end_.segment &&
                          report.damage.back().at.offset >= journal.end_.offset && *size > journal.end_.offset;
  if (unfinished) {
    if (auto aside = journal.set_aside_tail(report.damage.back(), salvaged); !aside)
      return tl::unexpected(aside.error());
  }
  return journal;
}

Result<JournalReport> Journal::verify(Disk& disk, const std::string& folder, const Visitor& visit) {
  return look(disk, folder, {0, 0}, visit);
}

Result<JournalReport> Journal::look(Disk& disk, const std::string& folder, JournalPosition from, const Visitor& visit) {
  auto numbers = segment_numbers(disk, folder);
  if (!numbers) return tl::unexpected(numbers.error());
  std::vector<Bytes> salvaged;
  return scan_all(disk, folder, *numbers, from, from, visit, salvaged);
}

Result<JournalPosition> Journal::append(const std::vector<Bytes>& ops) {
  if (broken_) return fail(ErrorKind::io, kBroken);
  if (end_.offset >= sizes_.segment) {
    const auto ended = end_segment();  // on a full disk this one goes on, as far as its room goes
    if (!ended && ended.error().kind != ErrorKind::disk_full) return tl::unexpected(ended.error());
  }
  if (buffer_.capacity() > kKeptBuffer) Bytes().swap(buffer_);
  format::batch(buffer_, ops, end_, end_.offset);
  const std::size_t length = buffer_.size();
  if (auto written = write_buffer(); !written) {
    // Full: undo what was written, so that nothing is half-recorded. Anything else: nobody knows what is on the device.
    const bool undone = written.error().kind == ErrorKind::disk_full && give_back_room();
    broken_ = !undone;
    return tl::unexpected(written.error());
  }
  if (auto flushed = mutated(Mutant::skip_flush) ? Result<void>() : file_->flush(); !flushed) {
    broken_ =
        true;  // whatever the reason: the system may have dropped what it could not write, and would not say so again
    if (flushed.error().kind == ErrorKind::disk_full) return fail(ErrorKind::io, kFlushFailed, flushed.error().detail);
    return tl::unexpected(flushed.error());
  }
  end_.offset += length;
  return end_;
}

// When there is no room for it, with room for the next ones; on a disk that is nearly full, without.
Result<void> Journal::write_buffer() {
  const std::size_t batch = buffer_.size();
  if (end_.offset + batch <= size_) return file_->write_at(end_.offset, buffer_);
  const std::uint64_t room = std::clamp<std::uint64_t>(8 * batch, sizes_.least_room, 16 * sizes_.least_room);
  buffer_.resize(batch + room);
  auto written = file_->write_at(end_.offset, buffer_);
  if (!written && written.error().kind == ErrorKind::disk_full) {
    if (auto given = give_back_room(); !given) return given;
    buffer_.resize(batch);
    written = file_->write_at(end_.offset, buffer_);
  }
  if (written) size_ = end_.offset + buffer_.size();
  return written;
}

Result<void> Journal::give_back_room() {
  size_ = end_.offset;
  return file_->truncate(end_.offset);
}

Result<std::vector<JournalSegment>> Journal::segments() {
  auto numbers = segment_numbers(*disk_, folder_);
  if (!numbers) return tl::unexpected(numbers.error());
  std::vector<JournalSegment> out;
  for (std::uint32_t number : *numbers) {
    auto file = disk_->open(folder_ + "/" + format::segment_name(number), false);
    if (!file) return tl::unexpected(file.error());
    auto size = (*file)->size();
    if (!size) return tl::unexpected(size.error());
    JournalSegment segment{number, *size, {}};
    const std::uint64_t at = format::kSegmentHeaderBytes;
    auto head = (*file)->read_at(at, format::kBatchHeaderBytes);
    if (!head) return tl::unexpected(head.error());
    if (auto header = format::read_batch_header(*head, {number, at})) {
      auto body = (*file)->read_at(at + format::kBatchHeaderBytes, header->body);
      if (!body) return tl::unexpected(body.error());
      auto records = format::read_batch_body(*body, header->count);
      if (!records.ops.empty()) segment.first_op = Bytes(records.ops.front());
    }
    out.push_back(std::move(segment));
  }
  return out;
}

Result<void> Journal::retire(std::uint32_t segment) {
  if (segment >= end_.segment) return fail(ErrorKind::invalid, "the segment being written can't be retired");
  if (auto removed = disk_->remove(folder_ + "/" + format::segment_name(segment)); !removed) return removed;
  return disk_->flush_folder(folder_);
}

// The next one first: on a disk that has no space for it, this one keeps its room. What a full disk took of a batch may
// be behind the end, and cut off, but not yet for good.
Result<void> Journal::end_segment() {
  if (broken_) return fail(ErrorKind::io, kBroken);
  const auto ended = file_;
  const std::uint64_t end = end_.offset;
  if (auto started = start_segment(end_.segment + 1); !started) return started;
  if (auto given = ended->truncate(end); !given) return given;
  return ended->flush();
}

Result<void> Journal::start_segment(std::uint32_t number) {
  const std::string path = folder_ + "/" + format::segment_name(number);
  auto file = disk_->open(path, true);
  if (!file) return tl::unexpected(file.error());
  auto step = (*file)->truncate(0);
  if (step) step = (*file)->write_at(0, format::segment_header(number, end_.segment + 1 == number ? end_.offset : 0));
  if (step) step = (*file)->flush();
  if (step) step = disk_->flush_folder(folder_);
  if (!step) {
    (void)disk_->remove(path);  // nothing half made; an empty one would do no harm
    return step;
  }
  file_ = std::move(*file);
  end_ = {number, format::kSegmentHeaderBytes};
  size_ = end_.offset;
  return {};
}

Result<void> Journal::set_aside_tail(JournalDamage& tail, const std::vector<Bytes>& salvaged) {
  auto size = file_->size();
  if (!size) return tl::unexpected(size.error());
  auto bytes = file_->read_at(end_.offset, *size - end_.offset);
  if (!bytes) return tl::unexpected(bytes.error());
  bytes->resize(format::used_bytes(*bytes));
  tail.set_aside = folder_ + "/set-aside-" + format::segment_name(end_.segment) + "-" + std::to_string(end_.offset);
  auto copy = disk_->open(tail.set_aside, true);
  if (!copy) return tl::unexpected(copy.error());
  auto step = (*copy)->write_at(0, *bytes);
  if (step) step = (*copy)->flush();
  if (step) step = disk_->flush_folder(folder_);
  if (step) step = give_back_room();
  if (step) step = file_->flush();
  if (!step) return step;
  if (salvaged.empty()) return {};
  auto appended = append(salvaged);
  if (!appended) return tl::unexpected(appended.error());
  return {};
}

}  // namespace tillsync
