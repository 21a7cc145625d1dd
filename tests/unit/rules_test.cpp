// Small rules that stand for themselves: what may be recorded, clocks, names, files.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include "engine/ledger/moves.hpp"
#include "engine/validate.hpp"
#include "storage/base/random.hpp"
#include "storage/disk/data_folder.hpp"
#include "tests/scratch.hpp"
#include "tillsync/hlc.hpp"
#include "tools/client/sales/sales_file.hpp"
#include "transport/base/settings_edit.hpp"

using namespace tillsync;

namespace {

OpDraft sale() {
  OpDraft draft{.kind = OpKind::sale, .key = "k", .cashier = {}, .document = {}};
  draft.document.lines.push_back({"4111111111111111", Quantity::units(1), 100, "Bread"});
  return draft;
}

sales::SalesFile read(const std::string& csv, const std::map<std::string, std::string>& columns = {}) {
  std::istringstream in(csv);
  return std::move(sales::read_sales(in, columns).value());
}

}  // namespace

TEST_CASE("a card number in a free-form field is refused; as sku, key or invoice it may be a barcode") {
  OpDraft draft = sale();
  draft.key = "4111111111111111";
  draft.document.invoice = "5500005555555559";
  CHECK(validate(draft));
  for (const char* text : {"4111111111111111", "card 4111 1111 1111 1111 ok", "5500-0055-5555-5559",
                           "paid by 340000000000009.", "x6011000000000004"}) {
    CAPTURE(text);
    OpDraft in_meta = sale(), in_field = sale(), in_name = sale(), in_custom = sale();
    in_meta.document.note = text;
    in_field.document.fields["comment"] = text;
    in_name.document.lines[0].name = text;
    in_custom.kind = OpKind::custom, in_custom.custom_body = text;
    for (const OpDraft& each : {in_meta, in_field, in_name, in_custom}) {
      REQUIRE_FALSE(validate(each));
      CHECK(validate(each).error().kind == ErrorKind::card_number);
      CHECK(validate(each).error().message.find("4111") == std::string::npos);
    }
  }
  for (const char* text : {"4111111111111112", "tel 030 1234567", "order 123456", "9111111111111111 is no network's"}) {
    CAPTURE(text);
    draft.document.note = text;
    CHECK(validate(draft));
  }
}

TEST_CASE("stamps rise whatever the wall clock does, and a stamp far ahead is not followed") {
  Random random(3);
  HlcClock clock;
  Hlc last = clock.tick(1000);
  for (int i = 0; i < 10'000; ++i) {
    const Hlc next = clock.tick(static_cast<std::int64_t>(random.below(100'000)));
    REQUIRE(next > last);
    last = next;
  }
  CHECK(clock.observe(Hlc::at(200'000), 100'000));
  CHECK_FALSE(clock.observe(Hlc::at(100'000 + HlcClock::kMaxAheadMillis + 1), 100'000));
  CHECK(clock.tick(100'000) > Hlc::at(200'000));
}

TEST_CASE("a fold gives the same stock for every order of arrival") {
  Random random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<StockEvent> events;
    for (std::uint64_t i = 0; i < 12; ++i) {
      events.push_back({Hlc{random.below(6)},
                        {TillId{"t" + std::to_string(random.below(3))}, Incarnation{1}},
                        Seq{i},
                        random.below(5) == 0,
                        static_cast<std::int64_t>(random.below(9)) - 4});
    }
    std::sort(events.begin(), events.end());
    std::int64_t expected = 0;
    for (const StockEvent& e : events) expected = e.is_count ? e.milli : expected + e.milli;
    CHECK(fold(0, events) == expected);
  }
}

TEST_CASE("a second process on the same data folder is told which process has it") {
  const std::string path = std::filesystem::temp_directory_path() / ("tillsync-lock-" + std::to_string(::getpid()));
  auto first = DataFolder::lock(path, true);
  REQUIRE(first);
  const auto second = DataFolder::lock(path, true);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::locked);
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  std::filesystem::remove_all(path);
}

TEST_CASE("retail files of every documented shape come out as the same kind of ops") {
  SUBCASE("lines of an invoice are one sale; negative quantities are its refund; C means refund") {
    const auto file = read(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
        "536365,85123A,\"WHITE, HANGING\",6,12/1/2010 8:26,2.55,17850\n536365,22423,CAKE,-1,12/1/2010 "
        "8:26,12.75,17850\n"
        "C536379,D,Discount,-1,12/1/2010 9:41,27.50,14527\n");
    REQUIRE(file.ops.size() == 3);
    CHECK(file.ops[0].document.lines[0].name == "WHITE, HANGING");
    CHECK(file.ops[0].document.lines[0].unit_price == 255);
    CHECK(file.ops[1].kind == OpKind::refund);
    CHECK(file.ops[1].document.lines[0].quantity == Quantity::units(1));
    CHECK(file.ops[2].kind == OpKind::refund);
    CHECK(file.milli == 4000);
    CHECK(file.invoices == 2);
  }
  SUBCASE("the bakery's: no quantity, day first") {
    const auto file = read("Date,Time,Transaction,Item\n30/10/2016,09:58:11,1,Bread\n2016-10-31,10:05:34,2,Scone\n");
    CHECK(file.ops.size() == 2);
    CHECK(file.milli == 2000);
  }
  SUBCASE("Windows line ends, a byte order mark, Latin-1") {
    const auto file = read("\xef\xbb\xbfInvoice,SKU,Qty,Description\r\n1,caf\xe9,1.5,Caf\xe9 cr\xe8me\r\n");
    REQUIRE(file.ops.size() == 1);
    CHECK(file.ops[0].document.lines[0].sku == "café");
    CHECK(file.milli == 1500);
  }
  SUBCASE("columns by option, and bad rows with their line numbers") {
    const auto file = read("Beleg,Artikel,Menge,Time\n1,a,x,\n1,b,2,\n,c,1,\n2,d,0,\n3,e,1,no date\n",
                           {{"invoice", "Beleg"}, {"sku", "artikel"}, {"quantity", "Menge"}, {"time", "Time"}});
    CHECK(file.ops.size() == 1);
    REQUIRE(file.bad_rows == 4);
    CHECK(file.bad[0].line == 2);
    CHECK(file.bad[3].line == 6);
  }
  SUBCASE("a missing column is said") {
    std::istringstream in("a,b\n1,2\n");
    CHECK(sales::read_sales(in, {}).error().message ==
          "no column for the invoice: name it with --column invoice=HEADER");
  }
}

TEST_CASE("dates of the usual forms are read, nonsense is not") {
  const auto morning = sales::parse_time("2010-12-01", "08:26:00");
  REQUIRE(morning);
  CHECK(sales::parse_time("1/12/2010", "8:26") == morning);
  CHECK(sales::parse_time("2010-12-01 08:26:00", "") == morning);
  CHECK(sales::parse_time("12/13/2010 8:26", "") == sales::parse_time("2010-12-13", "8:26"));
  for (const char* bad : {"", "tomorrow", "32/13/2010", "2010-02-30", "1/1/2010 25:00"})
    CHECK_FALSE(sales::parse_time(bad, ""));
}

TEST_CASE("a settings file that people wrote is changed in the lines that have to, and in no other") {
  const test::Folder f;
  const auto data = DataFolder::lock(f / "till", true).value();
  const std::string theirs =
      "# Ours, since 2019.\n"
      "branch = \"main\"   # the old shop\n"
      "till = \"till-1\"\n"
      "peers = [  # both by cable\n  \"till-2@10.0.0.2:7700\",\n]\n"
      "# cloud = \"cloud.example.org:7800\"\n\n"
      "[http]\nlisten = \"0.0.0.0:7780\"\ncertificate = \"/etc/shop.pem\"  # renewed in May\n"
      "private_key = \"/etc/shop.key\"\nmetrics_key = \"secret\"\n";
  REQUIRE(replace_file(data.file("till.toml"), theirs));
  REQUIRE(change_settings(data, {}));
  CHECK(read_file(data.file("till.toml")) == theirs);
  const auto joined = change_settings(data, {.cloud = Address{"10.0.0.9", 7800}});
  REQUIRE_MESSAGE(joined, joined.error().message);
  std::string expected = theirs;
  const std::string example = "# cloud = \"cloud.example.org:7800\"";
  expected.replace(expected.find(example), example.size(), "cloud = \"10.0.0.9:7800\"");
  CHECK(read_file(data.file("till.toml")) == expected);
  CHECK(joined->http.certificate == "/etc/shop.pem");
  CHECK(joined->http.metrics_key == "secret");

  const auto more = change_settings(data, {.listen = Address{"10.0.0.1", 7700},
                                           .cloud = Address{"10.0.0.8", 7800},
                                           .interface = "eth0",
                                           .more_peers = {{TillId{"till-3"}, {"10.0.0.3", 7700}}}});
  REQUIRE_MESSAGE(more, more.error().message);
  CHECK(more->listen == Address{"10.0.0.1", 7700});
  CHECK(more->cloud == Address{"10.0.0.8", 7800});
  CHECK(more->interface == "eth0");
  CHECK(more->peers.size() == 2);
  CHECK(more->http.listen == Address{"0.0.0.0", 7780});  // another table's
  const std::string text = read_file(data.file("till.toml")).value();
  for (const char* kept : {"# Ours, since 2019.", "# the old shop", "# renewed in May", "metrics_key = \"secret\""})
    CHECK_MESSAGE(text.find(kept) != std::string::npos, text);
  REQUIRE(replace_file(data.file("till.toml"), "\"branch\" = \"a\"\ntill = 't'"));
  CHECK(change_settings(data, {.cloud = Address{"h", 1}})->cloud == Address{"h", 1});
}

TEST_CASE("till.toml is written and read alike, and a mistake in it is named") {
  Settings settings;
  settings.branch = BranchId{"main"}, settings.till = TillId{"till-1"};
  settings.cloud.emplace(Address{"cloud.example.org", 7800});
  settings.peers.push_back(*parse_peer("till-2@[fe80::1]:7700"));
  const Settings again = *Settings::parse(settings.toml(), "till.toml");
  CHECK(again.toml() == settings.toml());
  CHECK(Settings::parse("branch = \"main\"\ntill = \"Till 1\"\n", "till.toml").error().message ==
        "till.toml: till: 'Till 1' is not a name: use 1 to 32 of a-z, 0-9 and '-'");
  CHECK(Settings::parse("branch = main", "till.toml").error().message.find("till.toml, line 1") == 0);
}
