#include "transport/files/till_files.hpp"

#include "storage/lmdb/lmdb_shrink.hpp"

namespace tillsync {

Result<TillFiles::Started> TillFiles::start(Disk& disk, const Places& places) {
  Started out;
  if (places.shrink) {
    if (auto shrunk = lmdb::shrink(places.database); !shrunk) out.not_shrunk = shrunk.error();
  }
  auto store = TillStore::open(places.database);
  if (!store) return tl::unexpected(store.error());
  const JournalPosition checkpoint = (*store)->view().state().value_or(TillState{}).checkpoint;
  auto journal = Journal::open(
      disk, places.journal, checkpoint, checkpoint,
      [&](JournalPosition, ByteView op) { out.recovered.tail.emplace_back(op); }, out.recovered.report, places.sizes);
  if (!journal) return tl::unexpected(journal.error());
  out.files.reset(new TillFiles(std::move(*store), std::move(*journal)));
  return out;
}

TillFiles::Retirement TillFiles::retirement(const TillCore& core, const std::vector<JournalSegment>& segments,
                                            Now now) {
  Retirement out;
  if (segments.empty()) return out;
  out.last = core.retirable(segments, now);
  if (core.should_rotate(segments.back(), now)) out.ends = segments.back().number;
  for (const JournalSegment& each : segments) out.of.push_back(each.number);
  return out;
}

void TillFiles::retire(const Retirement& what) {
  if (what.ends && journal_.end().segment == *what.ends) (void)journal_.end_segment();
  for (const std::uint32_t segment : what.of) {
    if (segment <= what.last && !journal_.retire(segment)) return;
  }
}

}  // namespace tillsync
