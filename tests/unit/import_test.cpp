// Headquarters' rows: whatever piece the file comes in, and wherever either side dies, the cloud ends with the file.
#include <doctest/doctest.h>

#include "storage/base/random.hpp"
#include "tests/unit/backends.hpp"
#include "transport/api/json_values.hpp"
#include "transport/http/import/ndjson.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

// Every way in which a line can be wrong or odd, among good ones.
std::vector<std::string> draw_lines(Random& random) {
  static const std::vector<std::string> kOdd{"",      "   ",           "{",
                                             "[1,2]", "{\"name\":1}",  "{\"id\":7}",
                                             "null",  "{\"id\":\"\"}", "{\"id\":\"a\",\"deleted\":1}",
                                             "\r",    "\xff\xfe",      "{\"id\":\"x\"} {}"};
  std::vector<std::string> lines;
  for (std::uint64_t n = random.below(40); n > 0; --n) {
    const std::string id = "p" + std::to_string(random.below(30));
    switch (random.below(6)) {
      case 0:
        lines.push_back(kOdd[random.below(kOdd.size())]);
        break;
      case 1:
        lines.push_back("{\"id\":\"" + id + "\",\"deleted\":true}");
        break;
      case 2:
        lines.push_back("{\"id\":\"" + id + "\",\"name\":\"" + std::string(random.below(3000), 'n') + "\"}\r");
        break;
      default:
        lines.push_back("{\"id\":\"" + id + "\",\"price\":" + std::to_string(random.below(9)) + "}");
    }
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines, bool last_ends) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  if (!last_ends && !text.empty()) text.pop_back();
  return text;
}

// What happened, as text: to be compared.
std::string read_in_pieces(const std::string& text, const std::function<std::size_t()>& size) {
  std::string out;
  NdjsonReader reader({[&](const ImportRow& row, std::uint64_t line, std::uint64_t end) {
                         out += std::to_string(line) + "@" + std::to_string(end) + " " + row.id +
                                (row.deleted ? " gone" : " ") + fields_json(row.fields).dump() + "\n";
                         return true;
                       },
                       [&](const std::string& why, std::uint64_t line, std::uint64_t end) {
                         out += std::to_string(line) + "@" + std::to_string(end) + " bad: " + why + "\n";
                         return true;
                       }});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = std::min(text.size() - at, size());
    REQUIRE(reader.feed(ByteView(text).substr(at, n)));
    at += n;
  }
  REQUIRE(reader.finish());
  return out;
}

}  // namespace

TEST_CASE("lines are read the same in pieces of any size") {
  Random random(21);
  for (int i = 0; i < 60; ++i) {
    const auto lines = draw_lines(random);
    const std::string text = joined(lines, random.below(2) == 0);
    const std::string whole = read_in_pieces(text, [&] { return text.size(); });
    REQUIRE(read_in_pieces(text, [] { return std::size_t{1}; }) == whole);
    REQUIRE(read_in_pieces(text, [&] { return 1 + random.below(300); }) == whole);
  }
  CHECK(read_in_pieces("{\"id\":\"a\"}\nnonsense\n\n{\"id\":\"b\",\"deleted\":true}", [] { return std::size_t{5}; }) ==
        "1@11 a {}\n2@20 bad: no JSON object\n4@46 b gone{}\n");
}

TEST_CASE("a line that nests without end is one bad line; what nests as real rows do is read") {
  const auto nested = [](std::size_t depth) {
    return "{\"id\":\"a\",\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}\n";
  };
  const auto whole = [] { return std::size_t{1 << 20}; };
  CHECK(read_in_pieces(nested(500'000), whole) == "1@1000016 bad: it nests more than 32 levels deep\n");
  CHECK(read_in_pieces(nested(kMaxValueDepth), whole).find("bad") != std::string::npos);
  CHECK(read_in_pieces(nested(kMaxValueDepth - 1), whole).find(" a {") != std::string::npos);
}

TEST_CASE("a line of two gibibytes is one bad line, and takes no memory") {
  std::uint64_t bad = 0, good = 0;
  NdjsonReader reader({[&](const ImportRow&, std::uint64_t line, std::uint64_t) {
                         CHECK(line == 2);
                         return ++good > 0;
                       },
                       [&](const std::string& why, std::uint64_t line, std::uint64_t) {
                         CHECK(why == "longer than 1 MiB");
                         CHECK(line == 1);
                         return ++bad > 0;
                       }});
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 2048; ++i) REQUIRE(reader.feed(piece));
  REQUIRE(reader.feed("\n{\"id\":\"a\"}\n"));
  CHECK(bad == 1);
  CHECK(good == 1);
}

TEST_CASE("a sender that dies anywhere, or runs twice at once, leaves exactly the file's rows") {
  on_each_store([&](const OpenStore& open) {
    auto store = open(kTombstonesKept);
    Random random(5);
    for (int run = 0; run < 15; ++run) {
      const FeedKind feed{"tenant", "kind-" + std::to_string(run)};
      std::vector<ImportRow> file;
      std::map<std::string, Bytes> expected;
      for (std::uint64_t n = 1 + random.below(60); n > 0; --n) {
        const std::string id = std::to_string(random.below(25));
        const Bytes fields = fields_from(Json{{"price", random.below(9)}});
        file.push_back({id, random.below(5) == 0, fields});
        expected[id] = file.back().deleted ? Bytes() : fields;
      }
      const auto stored = [&] {
        std::string at;
        REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
          at = import_checkpoint(txn, kShop, feed);
          return {};
        }));
        return at;
      };
      struct Sender {
        std::size_t at = 0;
        std::string believes;
      };
      std::vector<Sender> senders(2);
      std::uint64_t applied = 0;
      while (stored() != std::to_string(file.size())) {
        Sender& s = senders[random.below(2)];
        if (random.below(4) == 0) s = {std::stoul("0" + stored()), stored()};  // it died, and asked where to go on
        const std::size_t end = std::min(file.size(), s.at + 1 + random.below(8));
        ImportBatch batch{
            feed,
            {file.begin() + static_cast<std::ptrdiff_t>(s.at), file.begin() + static_cast<std::ptrdiff_t>(end)},
            s.believes,
            std::to_string(end)};
        const bool cloud_dies = random.below(4) == 0;
        const auto done = store->write([&](CloudTxn& txn) -> Result<void> {
          const auto changed = import_rows(txn, kShop, batch, 1);
          if (!changed) return tl::unexpected(changed.error());
          if (cloud_dies) return fail(ErrorKind::io, "died");
          return {};
        });
        if (done) applied += batch.rows.size();
        if (done || !cloud_dies) s = done ? Sender{end, *batch.to} : Sender{std::stoul("0" + stored()), stored()};
      }
      CHECK(applied == file.size());  // each line once
      REQUIRE(store->read([&](CloudTxn& txn) -> Result<void> {
        for (const auto& [id, fields] : expected) {
          const auto row = txn.row(kShop, feed, id);
          CHECK((row && !row->deleted ? row->fields : Bytes()) == fields);
        }
        return {};
      }));
    }
  });
}

TEST_CASE("rows that the cloud keeps itself are not imported") {
  on_each_store([&](const OpenStore& open) {
    auto store = open(kTombstonesKept);
    for (const char* kind : {"conflict", "stock", "setting", ""}) {
      const auto done = store->write([&](CloudTxn& txn) -> Result<void> {
        const auto changed = import_rows(txn, kShop, {{"tenant", kind}, {{"a", false, "\x80"}}, {}, {}}, 1);
        return changed ? Result<void>() : tl::unexpected(changed.error());
      });
      REQUIRE_FALSE(done);
      CHECK(done.error().kind == ErrorKind::invalid);
    }
  });
}
