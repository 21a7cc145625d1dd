// tillsync import --kind: rows from a file of JSON lines to the cloud, resumable.
#include <sodium.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tools/import_rows.hpp"
#include "transport/headquarters/ndjson.hpp"

namespace tillsync::cli {

namespace {

constexpr std::size_t kBatchRows = 5000, kBatchBytes = 1 << 20, kBadShown = 20;

// Of everything that was read so far: what a file must begin with to be the one that a checkpoint is about.
class Fingerprint {
 public:
  Fingerprint() { crypto_generichash_init(&state_, nullptr, 0, kBytes); }
  void add(ByteView bytes) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  std::string hex() const {
    auto copy = state_;
    unsigned char hash[kBytes];
    char text[2 * kBytes + 1];
    crypto_generichash_final(&copy, hash, kBytes);
    return sodium_bin2hex(text, sizeof text, hash, kBytes);
  }

 private:
  static constexpr std::size_t kBytes = 16;
  crypto_generichash_state state_;
};

struct Checkpoint {
  std::uint64_t lines = 0, bytes = 0;
  std::string begins_with;  // the fingerprint of those bytes
  bool done = false;
  std::string text() const {
    return Json{{"lines", lines}, {"bytes", bytes}, {"fingerprint", begins_with}, {"done", done}}.dump();
  }
  static Checkpoint parse(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    return {json.value("lines", std::uint64_t{0}), json.value("bytes", std::uint64_t{0}),
            json.value("fingerprint", std::string()), json.value("done", false)};
  }
};

class Importer {
 public:
  Importer(const RowsArguments& a, Folder& folder) : a_(a), folder_(folder), progress_("importing") {}

  void run() {
    std::ifstream in(a_.file, std::ios::binary);
    if (!in) throw Failure{"can't read " + a_.file + ": check the path"};
    size_ = std::filesystem::file_size(a_.file);
    stored_ = folder_.ask(question("import_checkpoint"))["checkpoint"];
    const Checkpoint from = resume_at(in);
    at_ = from;
    NdjsonReader reader(
        {[&](ImportRow row, std::uint64_t line, std::uint64_t end) { return take(row, line, end); },
         [&](const std::string& why, std::uint64_t line, std::uint64_t end) { return bad(why, line, end); }},
        from.lines, from.bytes);
    Bytes piece(1 << 18, '\0');
    bool going = true;
    while (going && in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      pieces_ = ByteView(piece).substr(0, static_cast<std::size_t>(in.gcount()));
      going = reader.feed(pieces_);
      if (!going) break;
      read_.add(pieces_);
      hashed_ += pieces_.size();
    }
    if (in.bad())
      throw Failure{"can't read on in " + a_.file + ": check the disk; 'tillsync import' goes on from there"};
    going = going && reader.finish();
    if (!going) return stop();
    flush(true);
    progress_.at(size_, size_);
    std::cout << rows_ << " rows read, " << changed_ << " changed, " << bad_ << " left out\n";
  }

 private:
  Json question(const char* what) const {
    return {{"do", what}, {"branch", a_.branch}, {"kind", a_.kind}, {"group", a_.group}};
  }

  // Behind what an earlier run of the same file has brought, if that did not come to its end.
  Checkpoint resume_at(std::ifstream& in) {
    const Checkpoint known = Checkpoint::parse(stored_);
    if (known.bytes == 0 || known.done || known.bytes > size_) return {};
    Bytes piece(1 << 18, '\0');
    for (std::uint64_t left = known.bytes; left > 0 && in;) {
      in.read(piece.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(left, piece.size())));
      read_.add(ByteView(piece).substr(0, static_cast<std::size_t>(in.gcount())));
      left -= static_cast<std::uint64_t>(in.gcount());
    }
    if (read_.hex() == known.begins_with) {
      hashed_ = known.bytes;
      std::cerr << "going on after line " << known.lines << ", where an earlier run ended\n";
      return known;
    }
    read_ = {};
    in.clear();
    in.seekg(0);
    return {};
  }

  bool take(ImportRow& row, std::uint64_t line, std::uint64_t end) {
    ++rows_;
    batch_bytes_ += row.fields.size() + row.id.size();
    batch_.push_back({{"id", row.id}, {"deleted", row.deleted}, {"fields", fields_json(row.fields)}});
    at_.lines = line, at_.bytes = end;
    if (batch_.size() >= kBatchRows || batch_bytes_ >= kBatchBytes) flush(false);
    return true;
  }

  bool bad(const std::string& why, std::uint64_t line, std::uint64_t end) {
    ++bad_;
    if (a_.stop_on_bad) {
      bad_line_ = "line " + std::to_string(line) + ": " + why;
      return false;
    }
    if (bad_ <= kBadShown) std::cerr << "line " << line << ": " << why << "; left out\n";
    if (bad_ == kBadShown + 1) std::cerr << "more lines are left out\n";
    at_.lines = line, at_.bytes = end;
    return true;
  }

  void flush(bool done) {
    if (batch_.empty() && !done) return;
    Fingerprint here = read_;  // pieces that were fed before, and of this one what has been read
    if (at_.bytes > hashed_) here.add(pieces_.substr(0, at_.bytes - hashed_));
    at_.begins_with = here.hex();
    at_.done = done;
    Json q = question("put_rows");
    q["rows"] = std::move(batch_);
    q["from"] = stored_;
    q["to"] = stored_ = at_.text();
    changed_ += folder_.ask(q)["changed"].get<std::uint64_t>();
    batch_ = Json::array();
    batch_bytes_ = 0;
    progress_.at(at_.bytes, size_);
  }

  void stop() {
    flush(false);
    throw Failure{bad_line_ +
                  "; what comes before it is imported: mend the line, then import the file again, which "
                  "goes on there"};
  }

  const RowsArguments& a_;
  Folder& folder_;
  Progress progress_;
  std::uint64_t size_ = 0, rows_ = 0, changed_ = 0, bad_ = 0, hashed_ = 0;
  std::size_t batch_bytes_ = 0;
  Json batch_ = Json::array();
  std::string stored_, bad_line_;
  Checkpoint at_;
  Fingerprint read_;
  ByteView pieces_;
};

}  // namespace

void import_rows(const RowsArguments& a) {
  Folder folder(a.data);
  if (!folder.is_cloud()) throw Failure{"rows belong to the cloud: name the cloud's data folder"};
  Importer(a, folder).run();
}

}  // namespace tillsync::cli
