// The bytes of a journal segment: a header, then batches of checksummed records. All numbers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tillsync/bytes.hpp>
#include <vector>

#include "storage/journal/journal.hpp"

namespace tillsync::journal_format {

constexpr std::size_t kSegmentHeaderBytes = 32;  // magic 8, version 4, segment 4, end of the one before 8, checksum 8
constexpr std::size_t kBatchHeaderBytes = 40;    // magic 4, body 4, count 4, segment 4, offset 8, flushed 8, checksum 8
constexpr std::size_t kRecordHeaderBytes = 12;   // length 4, checksum 8

// `previous_end`: how long the segment before is, so that an end that it loses is missed; 0 when nobody knows.
Bytes segment_header(std::uint32_t segment, std::uint64_t previous_end);
// The previous end that it says; nothing when it is no header of that segment.
std::optional<std::uint64_t> read_segment_header(ByteView bytes, std::uint32_t segment);

// Writes it to `out`, instead of what is there. `flushed` is the offset in this segment that is known to be on the
// device before this batch is written.
void batch(Bytes& out, const std::vector<Bytes>& ops, JournalPosition at, std::uint64_t flushed);

struct BatchHeader {
  std::uint32_t body = 0;
  std::uint32_t count = 0;
  std::uint64_t flushed = 0;
};
std::optional<BatchHeader> read_batch_header(ByteView bytes, JournalPosition at);

// The records of a batch's body that are whole; `complete` says whether that is all of them.
struct BatchBody {
  std::vector<ByteView> ops;
  bool complete = false;
};
BatchBody read_batch_body(ByteView body, std::uint32_t count);

std::string segment_name(std::uint32_t segment);
std::optional<std::uint32_t> segment_number(const std::string& name);

// Up to the zeros that are the room for what comes next. The last batch may end in some as well: its header says.
std::uint64_t used_bytes(ByteView segment);

// Walks one segment's bytes from the offset `from` on, behind its header.
struct SegmentScan {
  std::vector<JournalDamage> damage;  // behind_flush set where a later batch proves it
  std::vector<Bytes> tail_salvaged;   // whole records behind the last good batch
  std::uint64_t batches = 0;
  std::uint64_t ops = 0;
  std::uint64_t end = kSegmentHeaderBytes;  // after the last good batch
};
SegmentScan scan_segment(ByteView bytes, JournalPosition from, const Journal::Visitor& visit);

}  // namespace tillsync::journal_format
