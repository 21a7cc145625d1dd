// What each key does.
#include "conflicts/tui/model.hpp"

#include <algorithm>

#include "conflicts/tui/text.hpp"

namespace tillsync::tui {

namespace {

bool holds(const std::string& text, const std::string& part) {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

// An id only from its start: numbers drawn by chance are in it, in which anything short is found.
bool found(const Conflict& c, const std::string& part) {
  if (c.id.starts_with(part) || holds(c.subject + '\n' + c.summary + '\n' + c.branch, part)) return true;
  const auto in_side = [&](const ConflictSide& s) {
    return holds(s.key + '\n' + s.cashier + '\n' + s.place.till.text, part);
  };
  const auto in_step = [&](const ConflictStep& s) { return holds(s.who + '\n' + s.reason, part); };
  return std::ranges::any_of(c.sides, in_side) || std::ranges::any_of(c.history, in_step);
}

std::int64_t changed_ms(const Conflict& c) { return c.history.empty() ? c.at_ms : c.history.back().at_ms; }

bool is(const Key& key, const char* text) { return key.kind == Key::Kind::text && key.text == text; }

}  // namespace

Model::Model(std::string source, std::string user) : source_(std::move(source)), name_(std::move(user)) {}

// Those that wait: the oldest first. Those that are settled: what was settled last.
std::vector<const Item*> Model::shown() const {
  std::vector<const Item*> out;
  for (const Item& item : items_) {
    const Conflict& c = item.conflict;
    const bool wanted = which_ == Which::all || c.waits() == (which_ == Which::waiting);
    if (wanted && (kind_.empty() || c.kind == kind_) && (search_.empty() || found(c, search_))) out.push_back(&item);
  }
  std::ranges::stable_sort(out, [&](const Item* a, const Item* b) {
    if (a->conflict.waits() != b->conflict.waits()) return a->conflict.waits();
    return a->conflict.waits() ? a->conflict.at_ms < b->conflict.at_ms
                               : changed_ms(a->conflict) > changed_ms(b->conflict);
  });
  return out;
}

const Item* Model::current() const {
  const auto it = std::ranges::find_if(items_, [&](const Item& i) { return i.conflict.id == selected_; });
  return it == items_.end() ? nullptr : &*it;
}

std::size_t Model::selected_row() const {
  const auto rows = shown();
  const auto it = std::ranges::find_if(rows, [&](const Item* i) { return i->conflict.id == selected_; });
  return it == rows.end() ? 0 : static_cast<std::size_t>(it - rows.begin());
}

void Model::select(std::size_t row) {
  const auto rows = shown();
  if (!rows.empty()) selected_ = rows[std::min(row, rows.size() - 1)]->conflict.id;
}

void Model::on_fetched(Result<std::vector<Item>> items, std::int64_t now_ms) {
  now_ms_ = now_ms;
  trouble_ = items ? std::string() : items.error().message;
  if (!items) return;
  const std::size_t row = selected_row();
  const Item* before = current();
  const bool waited = before != nullptr && before->conflict.waits();
  items_ = std::move(*items);
  fetched_ = true;
  const Item* now = current();
  const bool looking = view_ == View::detail || view_ == View::confirm;
  if (looking && waited && (now == nullptr || !now->conflict.waits())) {
    const auto& s = now == nullptr ? std::nullopt : now->conflict.settlement;
    message_ = (s ? s->by + " has just settled it: " + s->choice : std::string("It has just closed by itself")) + ".";
    view_ = now == nullptr ? View::list : View::detail;
    choice_ = scroll_ = 0;
  }
  if (view_ == View::list && (now == nullptr || std::ranges::count(shown(), now) == 0)) select(row);
  if (now != nullptr && choice_ >= now->choices.size()) choice_ = 0;
}

void Model::on_settled(const Result<void>& outcome) {
  if (!outcome) {
    message_ = outcome.error().message;
    return;
  }
  last_choice_ = current() != nullptr && choice_ < current()->choices.size() ? current()->choices[choice_].name : "";
  last_reason_ = reason_;
  message_ = "Settled: " + (current() == nullptr ? selected_ : current()->conflict.subject);
  const std::size_t row = selected_row();
  std::erase_if(items_, [&](const Item& i) { return i.conflict.id == selected_; });  // it comes again as it is now
  view_ = View::list;
  select(row);
}

std::optional<Order> Model::on_key(const Key& key, Size size) {
  if (view_ != View::confirm) message_.clear();
  switch (view_) {
    case View::list:
      list_key(key, size);
      break;
    case View::detail:
      detail_key(key, size);
      break;
    case View::why:
      view_ = View::detail;
      break;
    case View::confirm:
      return confirm_key(key);
  }
  return std::nullopt;
}

void Model::list_key(const Key& key, Size size) {
  using K = Key::Kind;
  if (searching_) {
    if (key.kind == K::text) search_ += key.text;
    if (key.kind == K::backspace) erase_last(search_);
    if (key.kind == K::escape) search_.clear();
    if (key.kind == K::enter || key.kind == K::escape) searching_ = false;
    return select(selected_row());
  }
  const std::size_t row = selected_row(), page = size.height - 6;
  if (is(key, "q")) done_ = true;
  if (is(key, "/")) searching_ = true;
  if (key.kind == K::escape) search_.clear(), kind_.clear();
  if (is(key, "h")) which_ = static_cast<Which>((static_cast<int>(which_) + 1) % 3), select(0);
  if (is(key, "k")) {
    std::vector<std::string> kinds = {""};
    for (const Item& i : items_) kinds.push_back(i.conflict.kind);
    std::ranges::sort(kinds);
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    const auto at = std::ranges::find(kinds, kind_);
    kind_ = at == kinds.end() || at + 1 == kinds.end() ? "" : *(at + 1);
    select(0);
  }
  if (key.kind == K::down) select(row + 1);
  if (key.kind == K::up && row > 0) select(row - 1);
  if (key.kind == K::page_down) select(row + page);
  if (key.kind == K::page_up) select(row > page ? row - page : 0);
  if (key.kind == K::home) select(0);
  if (key.kind == K::end) select(shown().size());
  if (key.kind == K::enter && !shown().empty()) {
    select(row);
    view_ = View::detail;
    choice_ = scroll_ = 0;
  }
}

void Model::detail_key(const Key& key, Size) {
  using K = Key::Kind;
  const Item* item = current();
  if (item == nullptr || key.kind == K::escape || is(key, "q")) return void(view_ = View::list);
  const std::size_t choices = item->choices.size();
  if (key.kind == K::down && choice_ + 1 < choices) ++choice_;
  if (key.kind == K::up && choice_ > 0) --choice_;
  if (key.kind == K::page_down) scroll_ += 5;
  if (key.kind == K::page_up) scroll_ -= std::min<std::size_t>(scroll_, 5);
  if (is(key, "w")) view_ = View::why;
  if (key.kind == K::text && key.text[0] >= '1' && key.text[0] <= '9') {
    const auto n = static_cast<std::size_t>(key.text[0] - '1');
    if (n < choices) choose(n);
  }
  if (key.kind == K::enter && choices > 0) choose(choice_);
}

// The reason that was given for the same choice last time is offered again.
void Model::choose(std::size_t choice) {
  choice_ = choice;
  reason_ = current()->choices[choice].name == last_choice_ ? last_reason_ : "";
  in_name_ = name_.empty();
  view_ = View::confirm;
}

std::optional<Order> Model::confirm_key(const Key& key) {
  using K = Key::Kind;
  std::string& field = in_name_ ? name_ : reason_;
  const Item* item = current();
  if (key.kind == K::escape || item == nullptr || choice_ >= item->choices.size()) {
    view_ = View::detail;
    message_.clear();
    return std::nullopt;
  }
  if (key.kind == K::text) field += key.text;
  if (key.kind == K::backspace) erase_last(field);
  if (key.kind == K::tab || key.kind == K::up || key.kind == K::down) in_name_ = !in_name_;
  if (key.kind != K::enter) return std::nullopt;
  message_.clear();
  if (in_name_ && !name_.empty()) {
    in_name_ = false;
    if (reason_.empty()) return std::nullopt;
  }
  return Order{item->conflict, {item->choices[choice_].name, name_, reason_, {}}};
}

}  // namespace tillsync::tui
