// What is on the screen.
#include <algorithm>

#include "conflicts/explain.hpp"
#include "conflicts/tui/model.hpp"
#include "conflicts/tui/text.hpp"
#include "storage/base/thousandths.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync::tui {

namespace {

using Look = Line::Look;

std::string words(std::string kind) {
  std::ranges::replace(kind, '_', ' ');
  return kind;
}

// A head, a body that is scrolled so that `focus` can be seen, and a foot: as many lines as there are.
std::vector<Line> page(std::vector<Line> out, const std::vector<Line>& body, const std::vector<Line>& foot,
                       std::size_t from, std::size_t focus, Size size) {
  const std::size_t room = size.height - out.size() - foot.size();
  from = std::min(from, body.size() > room ? body.size() - room : 0);
  if (focus >= from + room) from = focus + 1 - room;
  for (std::size_t i = 0; i < room; ++i) out.push_back(from + i < body.size() ? body[from + i] : Line{});
  if (from > 0) out[out.size() - room].text = "  ... more above (PgUp)";
  if (from + room < body.size()) out.back() = {Look::dim, "  ... more below (PgDn)"};
  out.insert(out.end(), foot.begin(), foot.end());
  return out;
}

}  // namespace

std::vector<Line> Model::draw(Size size) const {
  std::vector<Line> out(size.height);
  const bool fits = size.width >= kSmallest.width && size.height >= kSmallest.height;
  if (!fits && !out.empty()) out[0].text = "make this window larger (60 x 12)";
  if (fits) {
    out = view_ == View::list      ? draw_list(size)
          : view_ == View::detail  ? draw_detail(size)
          : view_ == View::confirm ? draw_confirm(size)
                                   : draw_why(size);
  }
  for (Line& line : out) line.text = fit(plain(line.text), size.width);
  return out;
}

std::string Model::footer() const {
  if (!message_.empty()) return " " + message_;
  if (!trouble_.empty()) return " " + trouble_;
  return "";
}

std::string Model::row_of(const Item& item, std::size_t width) const {
  const Conflict& c = item.conflict;
  const std::string state = c.state == ConflictState::open ? "" : " (" + std::string(name_of(c.state)) + ")";
  const std::size_t subject = width - 8 - 18 - 15 - 11;
  return " " + fit(ago(now_ms_ - c.at_ms), 7) + fit(words(c.kind), 18) + fit(c.branch, 15) +
         fit(c.subject + state, subject) + fit_right(c.money == 0 ? "" : money(c.money), 10);
}

std::vector<Line> Model::draw_list(Size size) const {
  const auto rows = shown();
  const auto waiting =
      static_cast<std::size_t>(std::ranges::count_if(items_, [](const Item& i) { return i.conflict.waits(); }));
  const std::string counts =
      std::to_string(waiting) + " wait, " + std::to_string(items_.size() - waiting) + " settled ";
  const char* kWhich[] = {"what waits", "what was settled", "all"};
  std::string what = std::string(" ") + kWhich[static_cast<int>(which_)];
  if (!kind_.empty()) what += ", only " + words(kind_);
  if (!search_.empty() && !searching_) what += ", with '" + search_ + "'";
  std::vector<Line> head = {
      {Look::title, fit(" tillsync conflicts: " + source_, size.width - columns(counts)) + counts},
      {Look::dim, what},
      {Look::strong, " " + fit("AGE", 7) + fit("KIND", 18) + fit("BRANCH", 15) + fit("SUBJECT", size.width - 52) +
                         fit_right("AT STAKE", 10)}};
  std::vector<Line> body;
  const std::size_t selected = selected_row();
  for (std::size_t i = 0; i < rows.size(); ++i)
    body.push_back({i == selected ? Look::selected : Look::plain, row_of(*rows[i], size.width)});
  if (rows.empty()) {
    const bool filtered = !kind_.empty() || !search_.empty();
    body.push_back({Look::plain, !fetched_                  ? " Asking ..."
                                 : filtered                 ? " Nothing fits. Esc shows all again."
                                 : which_ == Which::waiting ? " Nothing waits for anybody."
                                                            : " Nothing yet."});
  }
  const std::string note = footer();
  const std::string hint = searching_      ? " Search: " + search_ + "_"
                           : !note.empty() ? note
                           : rows.empty()  ? ""
                                           : " " + rows[selected]->conflict.summary;
  std::vector<Line> foot = {
      {message_.empty() && !trouble_.empty() ? Look::alarm : Look::plain, hint},
      {Look::title,
       searching_ ? " Enter keep   Esc clear" : " Enter look   / search   k kind   h history   Esc all   q quit"}};
  return page(std::move(head), body, foot, selected < size.height - 5 ? 0 : selected - (size.height - 6), selected,
              size);
}

void Model::add_sides(const Conflict& c, std::size_t width, std::vector<Line>& out) const {
  const std::size_t abreast = std::clamp<std::size_t>(c.sides.size(), 1, width >= 120 ? 3 : 2);
  const std::size_t wide = (width - 2) / abreast - 2;
  for (std::size_t from = 0; from < c.sides.size(); from += abreast) {
    std::vector<std::vector<std::string>> blocks;
    for (std::size_t i = from; i < std::min(from + abreast, c.sides.size()); ++i) {
      const ConflictSide& s = c.sides[i];
      std::vector<std::string> block = {s.place.till.empty() ? "headquarters" : s.place.till.text, s.what};
      if (!s.was.empty()) block.push_back("had seen " + value_words(s.was));
      if (!s.cashier.empty()) block.push_back("by " + s.cashier);
      if (s.place.hlc != Hlc{}) block.push_back(ago(now_ms_ - s.place.hlc.millis()) + " ago");
      if (s.money != 0) block.push_back("for " + money(s.money));
      if (!s.key.empty()) block.push_back(s.key);
      blocks.push_back(std::move(block));
    }
    std::size_t height = 0;
    for (const auto& block : blocks) height = std::max(height, block.size());
    for (std::size_t i = 0; i < height; ++i) {
      std::string text = "  ";
      for (const auto& block : blocks) text += fit(i < block.size() ? block[i] : "", wide) + "  ";
      out.push_back({i == 0 ? Look::strong : Look::plain, text});
    }
    out.push_back({});
  }
}

void Model::add_choices(const Item& item, std::size_t width, std::vector<Line>& out) const {
  for (std::size_t i = 0; i < item.choices.size(); ++i) {
    const Choice& choice = item.choices[i];
    const Look look = i == choice_ ? Look::selected : Look::plain;
    const std::string mark = (i == choice_ ? "> " : "  ") + std::to_string(i + 1) + " ";
    bool first = true;
    for (const std::string& line : wrap(choice.words, width - 6)) {
      out.push_back({look, (first ? " " + mark : "     ") + line});
      first = false;
    }
    out.push_back({Look::dim, "       " + choice.preview});
  }
}

void Model::add_history(const Conflict& c, std::size_t width, std::vector<Line>& out) const {
  if (!c.history.empty()) out.push_back({Look::strong, " What happened to it"});
  for (auto step = c.history.rbegin(); step != c.history.rend(); ++step) {
    const std::string text = ago(now_ms_ - step->at_ms) + " ago  " + (step->who.empty() ? "" : step->who + ": ") +
                             step->what + (step->reason.empty() ? "" : " (" + step->reason + ")");
    for (const std::string& line : wrap(text, width - 4)) out.push_back({Look::plain, "   " + line});
  }
}

std::vector<Line> Model::draw_detail(Size size) const {
  const Item* item = current();
  if (item == nullptr) return draw_list(size);
  const Conflict& c = item->conflict;
  std::vector<Line> head = {{Look::title, " " + words(c.kind) + ": " + c.subject}};
  for (const std::string& line : wrap(c.summary, size.width - 2)) head.push_back({Look::plain, " " + line});
  const std::string stake =
      c.money == 0 ? "" : "; at stake: " + money(c.money) + (c.currency.empty() ? "" : " " + c.currency);
  head.push_back({Look::dim, " " + std::string(name_of(c.state)) + ", found " + ago(now_ms_ - c.at_ms) + " ago in " +
                                 c.branch + stake});
  head.push_back({});
  std::vector<Line> body;
  add_sides(c, size.width, body);
  std::size_t focus = 0;
  if (!item->choices.empty()) {
    body.push_back({Look::strong, " What shall be done?"});
    add_choices(*item, size.width, body);
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i].look == Look::selected) focus = i + 1;  // with its preview
    }
    body.push_back({});
  }
  add_history(c, size.width, body);
  const std::string keys =
      item->choices.empty() ? " w why   Esc back" : " Enter choose   1-9 choose   w why   PgUp PgDn scroll   Esc back";
  return page(std::move(head), body, {{Look::alarm, footer()}, {Look::title, keys}}, scroll_, scroll_ > 0 ? 0 : focus,
              size);
}

std::vector<Line> Model::draw_confirm(Size size) const {
  const Item* item = current();
  if (item == nullptr || choice_ >= item->choices.size()) return draw_detail(size);
  const Choice& choice = item->choices[choice_];
  std::vector<Line> body = {{}};
  for (const std::string& line : wrap(choice.words, size.width - 4)) body.push_back({Look::strong, "  " + line});
  for (const std::string& line : wrap(choice.preview, size.width - 4)) body.push_back({Look::plain, "  " + line});
  const auto field = [&](const char* label, const std::string& value, bool here) {
    const std::size_t room = size.width - 16;
    std::string tail = value;
    while (columns(tail) + 1 > room) tail.erase(0, 1);
    body.push_back({});
    body.push_back({here ? Look::selected : Look::plain, "  " + fit(label, 11) + tail + (here ? "_" : "")});
  };
  field("Your name:", name_, in_name_);
  field("Reason:", reason_, !in_name_);
  return page({{Look::title, " settle " + words(item->conflict.kind) + ": " + item->conflict.subject}}, body,
              {{Look::alarm, footer()}, {Look::title, " Enter settle it   Tab name or reason   Esc back"}}, 0, 0, size);
}

std::vector<Line> Model::draw_why(Size size) const {
  const Item* item = current();
  if (item == nullptr) return draw_list(size);
  std::vector<Line> body = {{}};
  for (const std::string& sentence : explain(item->conflict)) {
    for (const std::string& line : wrap(sentence, size.width - 4)) body.push_back({Look::plain, "  " + line});
    body.push_back({});
  }
  return page({{Look::title, " why: " + item->conflict.subject}}, body, {{Look::title, " any key: back"}}, 0, 0, size);
}

}  // namespace tillsync::tui
