#include "transport/net/noise/secure_stream.hpp"

#include <algorithm>

namespace tillsync::noise {

namespace {

constexpr std::size_t kMaxPlain = kMaxRecord - kTagBytes;

void put_big_endian(Bytes& out, std::size_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::size_t big_endian(ByteView in) {
  std::size_t value = 0;
  for (char c : in) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

}  // namespace

Bytes RecordWriter::seal(Instant now, ByteView message) {
  Bytes frame;
  frame.reserve(message.size() + 4);
  put_big_endian(frame, message.size(), 4);
  frame += message;
  Bytes out;
  out.reserve(frame.size() + frame.size() / 1000 + 64);
  for (ByteView rest = frame; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kMaxPlain))) {
    record(rest.substr(0, kMaxPlain), out);
  }
  if (bytes_ >= kRekeyBytes || now - keyed_at_ >= kRekeyTime) {
    record(ByteView("\0\0\0\0", 4), out);
    cipher_.rekey();
    keyed_at_ = now;
    bytes_ = 0;
    ++rekeys_;
  }
  return out;
}

Bytes RecordWriter::proof() {
  Bytes out;
  record({}, out);
  return out;
}

void RecordWriter::record(ByteView plain, Bytes& out) {
  const Bytes cipher = cipher_.encrypt({}, plain);
  put_big_endian(out, cipher.size(), 2);
  out += cipher;
  bytes_ += cipher.size();
}

Result<std::vector<Bytes>> RecordReader::take(ByteView from_wire) {
  std::vector<Bytes> out;
  wire_ += from_wire;
  ByteView rest = wire_;
  while (rest.size() >= 2) {
    const std::size_t length = big_endian(rest.substr(0, 2));
    if (rest.size() < 2 + length) break;
    if (auto opened = open_record(rest.substr(2, length), out); !opened) return tl::unexpected(opened.error());
    rest.remove_prefix(2 + length);
  }
  wire_.erase(0, wire_.size() - rest.size());
  return out;
}

Result<void> RecordReader::open_record(ByteView record, std::vector<Bytes>& out) {
  auto plain = cipher_.decrypt({}, record);
  if (!plain) return fail(ErrorKind::refused, "a record that was tampered with");
  ++records_;
  stream_ += *plain;
  ByteView rest = stream_;
  while (rest.size() >= 4) {
    const std::size_t length = big_endian(rest.substr(0, 4));
    if (length > kMaxFrame) {
      return fail(ErrorKind::refused, "a frame of " + std::to_string(length) + " bytes: the limit is 1 MiB");
    }
    if (rest.size() < 4 + length) break;
    if (length == 0) {
      cipher_.rekey();
    } else {
      out.emplace_back(rest.substr(4, length));
    }
    rest.remove_prefix(4 + length);
  }
  stream_.erase(0, stream_.size() - rest.size());
  return {};
}

}  // namespace tillsync::noise
