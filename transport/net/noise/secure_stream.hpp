// What runs over a finished handshake: messages cut into encrypted records, and put together again. Bytes in, messages
// out; no sockets. The wire: records of a 2-byte big-endian length and that many bytes of ciphertext; inside, a stream
// of frames, each a 4-byte big-endian length (1 byte to 1 MiB) and a message. A frame of length 0 says: I change my key
// now.
#pragma once

#include <tillsync/result.hpp>
#include <tillsync/time.hpp>
#include <vector>

#include "transport/net/noise/handshake.hpp"

namespace tillsync::noise {

constexpr std::size_t kMaxRecord = 65535;       // the Noise specification's
constexpr std::size_t kMaxFrame = 1024 * 1024;  // nothing is allocated beyond it
constexpr std::uint64_t kRekeyBytes = 1ULL << 30;
constexpr Duration kRekeyTime = std::chrono::hours(1);

class RecordWriter {
 public:
  RecordWriter(CipherState cipher, Instant now) : cipher_(cipher), keyed_at_(now) {}
  // Ready for the wire. The message is 1 byte to 1 MiB.
  Bytes seal(Instant now, ByteView message);
  // A record without a message: it shows that its sender has the keys of this handshake.
  Bytes proof();
  std::uint64_t rekeys() const { return rekeys_; }

 private:
  void record(ByteView plain, Bytes& out);
  CipherState cipher_;
  Instant keyed_at_;
  std::uint64_t bytes_ = 0;
  std::uint64_t rekeys_ = 0;
};

class RecordReader {
 public:
  explicit RecordReader(CipherState cipher) : cipher_(cipher) {}
  // Whole messages that arrived. After an error the connection is to be closed.
  Result<std::vector<Bytes>> take(ByteView from_wire);
  std::uint64_t records() const { return records_; }  // that could be opened

 private:
  Result<void> open_record(ByteView record, std::vector<Bytes>& out);
  CipherState cipher_;
  std::uint64_t records_ = 0;
  Bytes wire_;    // at most one unfinished record
  Bytes stream_;  // at most one unfinished frame and what came with it
};

}  // namespace tillsync::noise
