#include "tools/client/sales/sales_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <unordered_map>

#include "engine/validate.hpp"
#include "tools/client/sales/csv.hpp"

namespace tillsync::sales {

namespace {

// So many bytes at most, and no half of a character.
std::string beginning_of(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

// Cells may hold line breaks and tabs; a name on a receipt is one line.
std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return text;
}

enum Column { kInvoice, kSku, kQuantity, kTime, kDate, kDayTime, kPrice, kCustomer, kDescription, kColumns };
constexpr std::array<const char*, kColumns> kNames = {"invoice", "sku",   "quantity", "time",       "date",
                                                      "daytime", "price", "customer", "description"};

const std::map<std::string, Column>& known_headers() {
  static const std::map<std::string, Column> kKnown = {{"invoiceno", kInvoice},
                                                       {"invoice", kInvoice},
                                                       {"transaction", kInvoice},
                                                       {"stockcode", kSku},
                                                       {"sku", kSku},
                                                       {"item", kSku},
                                                       {"quantity", kQuantity},
                                                       {"qty", kQuantity},
                                                       {"invoicedate", kTime},
                                                       {"date", kDate},
                                                       {"time", kDayTime},
                                                       {"unitprice", kPrice},
                                                       {"price", kPrice},
                                                       {"customerid", kCustomer},
                                                       {"customer id", kCustomer},
                                                       {"customer", kCustomer},
                                                       {"description", kDescription}};
  return kKnown;
}

std::string trimmed(std::string text) {
  const auto blank = [](unsigned char c) { return std::isspace(c) != 0; };
  text.erase(std::find_if_not(text.rbegin(), text.rend(), blank).base(), text.end());
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

using Places = std::array<std::optional<std::size_t>, kColumns>;

Result<Places> place_columns(const CsvRow& header, const std::map<std::string, std::string>& named) {
  Places places;
  for (const auto& [name, wanted] : named) {
    const auto column = std::find(kNames.begin(), kNames.end(), lower(name));
    if (column == kNames.end()) {
      return fail(
          ErrorKind::invalid,
          "'" + name +
              "' is no column: use invoice, sku, quantity, time, date, daytime, price, customer or description");
    }
    const auto at =
        std::find_if(header.fields.begin(), header.fields.end(),
                     [header_name = lower(wanted)](const std::string& f) { return lower(trimmed(f)) == header_name; });
    if (at == header.fields.end())
      return fail(ErrorKind::invalid, "the file has no column '" + wanted + "': check --column " + name + "=...");
    places[static_cast<std::size_t>(column - kNames.begin())] = static_cast<std::size_t>(at - header.fields.begin());
  }
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto known = known_headers().find(lower(trimmed(header.fields[i])));
    if (known != known_headers().end() && !places[known->second]) places[known->second] = i;
  }
  for (Column needed : {kInvoice, kSku}) {
    if (!places[needed]) {
      return fail(ErrorKind::invalid, std::string("no column for the ") + kNames[needed] + ": name it with --column " +
                                          kNames[needed] + "=HEADER");
    }
  }
  return places;
}

// Collects rows into one sale and one refund an invoice.
class Collector {
 public:
  Collector(SalesFile& out, Places places) : out_(out), places_(places) {}

  void row(const CsvRow& row) {
    if (row.broken) return bad(row, "a quote is never closed");
    auto field = [&](Column c) {
      return places_[c] && *places_[c] < row.fields.size() ? trimmed(row.fields[*places_[c]]) : std::string();
    };
    const std::string invoice = field(kInvoice), sku = field(kSku);
    if (invoice.empty() || invoice.size() > 100) return bad(row, "no invoice number, or one of more than 100 bytes");
    if (sku.empty() || sku.size() > kMaxSkuBytes) return bad(row, "no sku, or one of more than 128 bytes");
    const std::string how_many = field(kQuantity);
    const auto milli = how_many.empty() ? 1000 : parse_scaled(how_many, 3);
    if (!milli || *milli == 0) return bad(row, "'" + how_many + "' is no quantity");
    const std::string how_much = field(kPrice);
    const auto price = how_much.empty() ? 0 : parse_scaled(how_much, 2);
    if (!price) return bad(row, "'" + how_much + "' is no price");
    const std::string date = field(places_[kTime] ? kTime : kDate), daytime = places_[kTime] ? "" : field(kDayTime);
    const auto at = date.empty() ? std::optional<std::int64_t>(0) : parse_time(date, daytime);
    if (!at) return bad(row, "'" + trimmed(date + " " + daytime) + "' is no date and time");
    Line line{sku, {std::abs(*milli)}, *price, beginning_of(field(kDescription), 200)};
    line.name = on_one_line(std::move(line.name));
    if (holds_card_number(line.name)) return bad(row, "a card number in the description");
    const std::string customer = on_one_line(field(kCustomer));
    if (holds_card_number(customer)) return bad(row, "a card number in the customer");
    add(invoice, *milli < 0 || invoice.front() == 'C' || invoice.front() == 'c', std::move(line), customer, date,
        daytime);
  }

 private:
  void bad(const CsvRow& row, std::string why) {
    ++out_.bad_rows;
    if (out_.bad.size() < SalesFile::kMaxBad) out_.bad.push_back({row.line, std::move(why)});
  }

  void add(const std::string& invoice, bool refund, Line line, const std::string& customer, const std::string& date,
           const std::string& daytime) {
    if (seen_.emplace(invoice, 0).second) ++out_.invoices;
    const std::int64_t signed_milli = refund ? -line.quantity.milli : line.quantity.milli;
    out_.milli += signed_milli;
    out_.sold[line.sku] += signed_milli;
    ++out_.lines;
    const std::string name = invoice + (refund ? "/refund" : "");
    const auto open = parts_.find(name);
    if (open != parts_.end() && out_.ops[open->second.first].document.lines.size() < kMaxLines) {
      return out_.ops[open->second.first].document.lines.push_back(std::move(line));
    }
    const std::size_t part = open == parts_.end() ? 1 : open->second.second + 1;
    OpDraft draft;
    draft.kind = refund ? OpKind::refund : OpKind::sale;
    draft.key = "invoice/" + name + (part > 1 ? "/" + std::to_string(part) : "");
    draft.document.invoice = invoice;
    draft.document.customer = customer.substr(0, 200);
    if (!date.empty()) draft.document.fields["sold_at"] = trimmed(date + " " + daytime);
    draft.document.lines.push_back(std::move(line));
    parts_[name] = {out_.ops.size(), part};
    out_.ops.push_back(std::move(draft));
  }

  SalesFile& out_;
  Places places_;
  std::unordered_map<std::string, int> seen_;
  std::unordered_map<std::string, std::pair<std::size_t, std::size_t>>
      parts_;  // the open op of each, and which part it is
};

// Up to six numbers, parted by anything that is no digit; false when there is none.
std::vector<std::int64_t> numbers_in(const std::string& text) {
  std::vector<std::int64_t> out;
  bool in_number = false;
  for (char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !in_number) out.push_back(0);
    if (digit && out.back() < 1'000'000) out.back() = out.back() * 10 + (c - '0');
    in_number = digit;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> parse_scaled(const std::string& text, int decimals) {
  std::size_t i = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) ++i;
  std::int64_t value = 0;
  int fraction = -1;
  bool any = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    any = true;
    if (fraction >= 0 && fraction++ >= decimals) {
      if (text[i] != '0') return std::nullopt;  // finer than what can be kept: never rounded silently
      continue;
    }
    value = value * 10 + (text[i] - '0');
    if (value > 1'000'000'000'000) return std::nullopt;
  }
  for (int d = std::max(fraction, 0); d < decimals; ++d) value *= 10;
  if (!any || value > 1'000'000'000'000) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::int64_t> parse_time(const std::string& date, const std::string& time) {
  const std::vector<std::int64_t> n = numbers_in(date + " " + time);
  if (n.size() < 3) return std::nullopt;
  std::int64_t year = n[2], month = n[1], day = n[0];
  if (n[0] > 31) year = n[0], day = n[2];
  if (month > 12) std::swap(month, day);
  if (year < 100) year += 2000;
  using namespace std::chrono;
  const year_month_day ymd{std::chrono::year(static_cast<int>(year)), std::chrono::month(static_cast<unsigned>(month)),
                           std::chrono::day(static_cast<unsigned>(day))};
  std::array<std::int64_t, 3> clock{};
  for (std::size_t i = 3; i < n.size() && i < 6; ++i) clock[i - 3] = n[i];
  if (!ymd.ok() || year < 1970 || year > 2999 || clock[0] > 24 || clock[1] > 59 || clock[2] > 60) return std::nullopt;
  return duration_cast<milliseconds>(sys_days(ymd).time_since_epoch()).count() +
         ((clock[0] * 60 + clock[1]) * 60 + clock[2]) * 1000;
}

Result<SalesFile> read_sales(std::istream& in, const std::map<std::string, std::string>& columns) {
  SalesFile out;
  std::optional<Collector> collector;
  std::optional<Error> error;
  read_csv(in, [&](CsvRow row) {
    if (error) return;
    if (collector) return collector->row(row);
    auto places = place_columns(row, columns);
    places ? void(collector.emplace(out, *places)) : void(error = places.error());
  });
  if (error) return tl::unexpected(*error);
  if (!collector) return fail(ErrorKind::invalid, "the file is empty: it needs a header row and sales");
  return out;
}

}  // namespace tillsync::sales
