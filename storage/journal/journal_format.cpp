#include "storage/journal/journal_format.hpp"

#include <cstdio>
#include <cstring>

#include "storage/base/checksum.hpp"

namespace tillsync::journal_format {

namespace {

constexpr std::uint32_t kBatchMagic = 0x54414254;  // "TBAT"
constexpr char kSegmentMagic[] = "TILLJRN1";
constexpr std::uint32_t kVersion = 1;

template <class T>
void put(Bytes& out, T v) {
  for (std::size_t i = 0; i < sizeof v; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
}

template <class T>
T get(ByteView in, std::size_t at) {
  T v = 0;
  for (std::size_t i = 0; i < sizeof v; ++i) v |= static_cast<T>(static_cast<std::uint8_t>(in[at + i])) << (8 * i);
  return v;
}

}  // namespace

Bytes segment_header(std::uint32_t segment, std::uint64_t previous_end) {
  Bytes out(kSegmentMagic, 8);
  put(out, kVersion), put(out, segment), put(out, previous_end);
  put(out, checksum(out));
  return out;
}

std::optional<std::uint64_t> read_segment_header(ByteView bytes, std::uint32_t segment) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  const auto previous_end = get<std::uint64_t>(bytes, 16);
  if (bytes.substr(0, kSegmentHeaderBytes) != segment_header(segment, previous_end)) return std::nullopt;
  return previous_end;
}

void batch(Bytes& out, const std::vector<Bytes>& ops, JournalPosition at, std::uint64_t flushed) {
  std::size_t body = 0;
  for (const Bytes& op : ops) body += kRecordHeaderBytes + op.size();
  out.clear();
  out.reserve(kBatchHeaderBytes + body);
  put(out, kBatchMagic), put(out, static_cast<std::uint32_t>(body)), put(out, static_cast<std::uint32_t>(ops.size()));
  put(out, at.segment), put(out, at.offset), put(out, flushed);
  put(out, checksum(out));
  for (const Bytes& op : ops) {
    put(out, static_cast<std::uint32_t>(op.size()));
    put(out, checksum(op));
    out += op;
  }
}

std::optional<BatchHeader> read_batch_header(ByteView bytes, JournalPosition at) {
  if (bytes.size() < kBatchHeaderBytes || get<std::uint32_t>(bytes, 0) != kBatchMagic) return std::nullopt;
  if (get<std::uint64_t>(bytes, 32) != checksum(bytes.substr(0, 32))) return std::nullopt;
  if (get<std::uint32_t>(bytes, 12) != at.segment || get<std::uint64_t>(bytes, 16) != at.offset) return std::nullopt;
  return BatchHeader{get<std::uint32_t>(bytes, 4), get<std::uint32_t>(bytes, 8), get<std::uint64_t>(bytes, 24)};
}

BatchBody read_batch_body(ByteView body, std::uint32_t count) {
  BatchBody out;
  std::uint32_t seen = 0;
  for (; seen < count && body.size() >= kRecordHeaderBytes; ++seen) {
    const auto length = get<std::uint32_t>(body, 0);
    if (body.size() - kRecordHeaderBytes < length) break;
    const ByteView op = body.substr(kRecordHeaderBytes, length);
    if (checksum(op) == get<std::uint64_t>(body, 4)) out.ops.push_back(op);
    body.remove_prefix(kRecordHeaderBytes + length);
  }
  out.complete = out.ops.size() == count && seen == count && body.empty();
  return out;
}

std::string segment_name(std::uint32_t segment) {
  char name[32];
  std::snprintf(name, sizeof name, "%08u.journal", segment);
  return name;
}

std::optional<std::uint32_t> segment_number(const std::string& name) {
  if (name.size() != 16 || name.substr(8) != ".journal") return std::nullopt;
  std::uint32_t number = 0;
  for (char c : name.substr(0, 8)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

std::uint64_t used_bytes(ByteView segment) { return segment.find_last_not_of('\0') + 1; }

SegmentScan scan_segment(ByteView bytes, JournalPosition from, const Journal::Visitor& visit) {
  SegmentScan scan;
  scan.end = from.offset;
  const auto behind = [&](std::uint64_t offset) { return bytes.substr(offset - from.offset); };
  const std::uint64_t used = from.offset + used_bytes(bytes);
  std::uint64_t at = from.offset;
  while (at < used) {
    const JournalPosition here{from.segment, at};
    const auto header = read_batch_header(behind(at), here);
    BatchBody body;
    std::uint64_t next = at + 1;
    if (header) {
      const ByteView rest = behind(at + kBatchHeaderBytes).substr(0, header->body);
      body = read_batch_body(rest, header->count);
      next = at + kBatchHeaderBytes + rest.size();
    }
    if (body.complete) {
      for (ByteView op : body.ops) visit(here, op);
      ++scan.batches, scan.ops += body.ops.size(), scan.end = at = next;
      scan.tail_salvaged.clear();
      continue;
    }
    // Resynchronise on the next batch that says it stands where it stands. The last sector of an unfinished one may
    // hold anything behind it, too.
    while (next < used && !read_batch_header(behind(next), {from.segment, next})) ++next;
    scan.damage.push_back({here, std::min(next, used) - at, next < used, {}});
    for (ByteView op : body.ops) {
      scan.tail_salvaged.emplace_back(op);
      visit(here, op);
    }
    at = next;
  }
  return scan;
}

}  // namespace tillsync::journal_format
