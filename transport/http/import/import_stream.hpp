// An import as it comes in, piece by piece, from a file or by HTTP: lines become batches, with each batch the
// checkpoint of its kind moves, and memory is bounded whatever comes. Who sends the same content again with `resume`
// goes on behind what an earlier run has brought: a fingerprint of those bytes tells that it is the same.
#pragma once

#include <sodium.h>

#include "transport/http/import/ndjson.hpp"

namespace tillsync {

// Of everything that was read so far.
class Fingerprint {
 public:
  Fingerprint() { crypto_generichash_init(&state_, nullptr, 0, kBytes); }
  void add(ByteView bytes) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  std::string hex() const;

 private:
  static constexpr std::size_t kBytes = 16;
  crypto_generichash_state state_;
};

class ImportStream {
 public:
  static constexpr std::size_t kBatchRows = 5000, kBatchBytes = 1 << 20;

  struct Events {
    // Applies a batch and moves the checkpoint from `from` to `to`. How many rows it changed.
    std::function<Result<std::uint64_t>(std::vector<ImportRow> rows, const std::string& from, const std::string& to)>
        put;
    std::function<void(std::uint64_t line, const std::string& why)> bad;  // left out
  };
  // `stored`: the checkpoint of the kind, as it is now.
  ImportStream(Events events, std::string stored, bool stop_on_bad, bool resume);

  // Errors: not_found, when it is not the content that an earlier run ended in; invalid, at a bad line when that is to
  // stop it (what comes before is imported); and what `put` says. Then it is over.
  Result<void> feed(ByteView piece);
  Result<void> finish();

  std::uint64_t rows() const { return rows_; }
  std::uint64_t changed() const { return changed_; }
  std::uint64_t left_out() const { return left_out_; }
  std::uint64_t resumed_after() const { return resumed_lines_; }  // lines; 0: it began at the beginning
  std::uint64_t bytes() const { return hashed_; }

 private:
  struct Checkpoint {
    std::uint64_t lines = 0, bytes = 0;
    std::string begins_with;  // the fingerprint of those bytes
    bool done = false;
    std::string text() const;
    static Checkpoint parse(const std::string& text);
  };
  Result<void> skip(ByteView& piece);
  bool take(ImportRow row, std::uint64_t line, std::uint64_t end);
  bool bad(const std::string& why, std::uint64_t line, std::uint64_t end);
  bool flush(bool done);
  void begin(const Checkpoint& at);
  void hash_up_to(std::uint64_t end);
  void reach(std::uint64_t line, std::uint64_t end);  // a checkpoint may say so
  Error ended();

  Events events_;
  std::string stored_;
  bool stop_on_bad_;
  std::optional<Checkpoint> behind_;  // being read up to there
  std::optional<NdjsonReader> reader_;
  std::uint64_t rows_ = 0, changed_ = 0, left_out_ = 0, resumed_lines_ = 0, hashed_ = 0;
  std::size_t batch_bytes_ = 0;
  std::vector<ImportRow> batch_;
  Checkpoint at_;
  Fingerprint read_, read_to_here_;  // of all that was hashed; of what at_ is behind
  ByteView piece_;                   // that is not hashed yet
  std::optional<Error> error_;
};

}  // namespace tillsync
