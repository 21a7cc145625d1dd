// The terminal for conflicts without a terminal: what is on the screen, what each key does. Pure; terminal.hpp draws it
// and reads the keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conflicts/tui/source.hpp"

namespace tillsync::tui {

struct Key {
  enum class Kind { text, enter, escape, up, down, page_up, page_down, home, end, tab, backspace, other } kind;
  std::string text = {};  // of Kind::text, one character in UTF-8
};

struct Line {
  enum class Look { plain, title, selected, dim, strong, alarm } look = Look::plain;
  std::string text;
};

struct Size {
  std::size_t width = 80, height = 24;
};

// What somebody has decided, to be carried out by the shell, which then says how it went.
struct Order {
  Conflict conflict;
  Word word;
};

class Model {
 public:
  static constexpr Size kSmallest{60, 12};

  Model(std::string source, std::string user);

  void on_fetched(Result<std::vector<Item>> items, std::int64_t now_ms);
  std::optional<Order> on_key(const Key& key, Size size);
  void on_settled(const Result<void>& outcome);

  std::vector<Line> draw(Size size) const;  // exactly size.height lines
  bool done() const { return done_; }

 private:
  enum class View { list, detail, confirm, why };
  enum class Which { waiting, settled, all };

  std::vector<const Item*> shown() const;
  const Item* current() const;
  void select(std::size_t row);
  std::size_t selected_row() const;
  void list_key(const Key& key, Size size);
  void detail_key(const Key& key, Size size);
  std::optional<Order> confirm_key(const Key& key);
  void choose(std::size_t choice);

  std::vector<Line> draw_list(Size size) const;
  std::vector<Line> draw_detail(Size size) const;
  std::vector<Line> draw_confirm(Size size) const;
  std::vector<Line> draw_why(Size size) const;
  std::string row_of(const Item& item, std::size_t width) const;
  void add_sides(const Conflict& c, std::size_t width, std::vector<Line>& out) const;
  void add_choices(const Item& item, std::size_t width, std::vector<Line>& out) const;
  void add_history(const Conflict& c, std::size_t width, std::vector<Line>& out) const;
  std::string footer() const;

  std::string source_;
  std::vector<Item> items_;
  std::int64_t now_ms_ = 0;
  bool fetched_ = false;

  View view_ = View::list;
  Which which_ = Which::waiting;
  std::string kind_;    // only these; empty: all
  std::string search_;  // in ids, subjects, summaries, keys, names
  bool searching_ = false;
  std::string selected_;  // id
  std::size_t choice_ = 0, scroll_ = 0;
  std::string name_, reason_;
  std::string last_choice_, last_reason_;
  bool in_name_ = false;           // of the form's two fields
  std::string message_, trouble_;  // what happened last; what keeps the source from answering
  bool done_ = false;
};

}  // namespace tillsync::tui
