#include "tools/client/import_rows.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tools/client/folder.hpp"
#include "tools/client/progress.hpp"
#include "transport/http/import/import_stream.hpp"

namespace tillsync::client {

namespace {

constexpr std::size_t kPiece = 1 << 18, kBadShown = 20;

class Importer {
 public:
  Importer(const RowsArguments& a, Folder& folder) : a_(a), folder_(folder), progress_("importing") {}

  void run() {
    std::ifstream in(a_.file, std::ios::binary);
    if (!in) throw Failure{"can't read " + a_.file + ": check the path"};
    size_ = std::filesystem::file_size(a_.file);
    auto done = read(in, true);
    if (!done && done.error().kind == ErrorKind::not_found) {  // another file than the one that was under way
      in.clear();
      in.seekg(0);
      done = read(in, false);
    }
    require(std::move(done));
  }

 private:
  api::ImportCheckpointRequest rows_of() const { return {{{a_.branch}, a_.kind}, a_.group}; }

  Result<void> read(std::ifstream& in, bool resume) {
    bad_ = 0;
    ImportStream stream({[this](std::vector<ImportRow> rows, const std::string& from, const std::string& to) {
                           return put(rows, from, to);
                         },
                         [this](std::uint64_t line, const std::string& why) { left_out(line, why); }},
                        require(folder_.ask(rows_of())).checkpoint, a_.stop_on_bad, resume);
    Bytes piece(kPiece, '\0');
    while (in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      const bool waits = stream.resumed_after() == 0;
      if (auto fed = stream.feed(ByteView(piece).substr(0, static_cast<std::size_t>(in.gcount()))); !fed) return fed;
      if (waits && stream.resumed_after() > 0)
        std::cerr << "going on after line " << stream.resumed_after() << ", where an earlier run ended\n";
      progress_.at(stream.bytes(), size_);
    }
    if (in.bad())
      throw Failure{"can't read on in " + a_.file + ": check the disk; 'tillsync import' goes on from there"};
    if (auto finished = stream.finish(); !finished) return finished;
    std::cout << stream.rows() << " rows read, " << stream.changed() << " changed, " << stream.left_out()
              << " left out\n";
    return {};
  }

  Result<std::uint64_t> put(const std::vector<ImportRow>& rows, const std::string& from, const std::string& to) {
    api::PutRowsRequest q{rows_of(), {}, from, to};
    for (const ImportRow& row : rows) q.rows.push_back({row.id, row.deleted, fields_json(row.fields)});
    const auto put = folder_.ask(q);
    return put ? Result<std::uint64_t>(put->changed) : tl::unexpected(put.error());
  }

  void left_out(std::uint64_t line, const std::string& why) {
    if (++bad_ <= kBadShown) std::cerr << "line " << line << ": " << why << "; left out\n";
    if (bad_ == kBadShown + 1) std::cerr << "more lines are left out\n";
  }

  const RowsArguments& a_;
  Folder& folder_;
  Progress progress_;
  std::uint64_t size_ = 0, bad_ = 0;
};

}  // namespace

void import_rows(const RowsArguments& a) {
  Folder folder(a.data);
  if (!folder.is_cloud()) throw Failure{"rows belong to the cloud: name the cloud's data folder"};
  Importer(a, folder).run();
}

}  // namespace tillsync::client
