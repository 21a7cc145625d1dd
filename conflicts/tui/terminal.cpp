#include "conflicts/tui/terminal.hpp"

#include <langinfo.h>
#include <locale.h>
#include <unistd.h>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>

#include "conflicts/tui/model.hpp"

namespace tillsync::tui {

namespace {

constexpr int kWaitMs = 100;  // for a key, before the screen is looked at again

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class Screen {
 public:
  Screen() {
    ::setlocale(LC_ALL, "");
    if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) ::setlocale(LC_CTYPE, "C.UTF-8");
    ::setenv("ESCDELAY", "50", 0);
    screen_ = ::newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) return;
    ::cbreak(), ::noecho(), ::nonl(), ::curs_set(0);
    ::keypad(stdscr, TRUE);
    ::timeout(kWaitMs);
    if (::has_colors() && std::getenv("NO_COLOR") == nullptr) {
      ::start_color(), ::use_default_colors();
      ::init_pair(1, COLOR_RED, -1);
      ::init_pair(2, COLOR_WHITE, COLOR_BLUE);
      colours_ = true;
    }
  }
  ~Screen() {
    if (screen_ == nullptr) return;
    ::endwin();
    ::delscreen(screen_);
  }
  Screen(const Screen&) = delete;
  bool ok() const { return screen_ != nullptr; }

  Size size() const { return {static_cast<std::size_t>(COLS), static_cast<std::size_t>(LINES)}; }

  void show(const std::vector<Line>& lines) {
    ::erase();
    for (std::size_t row = 0; row < lines.size() && row < size().height; ++row) {
      ::attrset(static_cast<int>(look_of(lines[row].look)));
      ::mvaddnstr(static_cast<int>(row), 0, lines[row].text.c_str(), -1);
    }
    ::attrset(A_NORMAL);
    ::refresh();
  }

  // Nothing when nobody pressed a key for a moment.
  std::optional<Key> key() {
    wint_t c = 0;
    const int kind = ::get_wch(&c);
    if (kind == ERR) return std::nullopt;
    if (kind == KEY_CODE_YES) return named(static_cast<int>(c));
    if (c == '\r' || c == '\n') return Key{Key::Kind::enter};
    if (c == 27) return Key{Key::Kind::escape};
    if (c == '\t') return Key{Key::Kind::tab};
    if (c == 127 || c == 8) return Key{Key::Kind::backspace};
    if (c < 32) return Key{Key::Kind::other};
    char utf8[16] = {};
    std::mbstate_t state{};
    const std::size_t n = ::wcrtomb(utf8, static_cast<wchar_t>(c), &state);
    return n == static_cast<std::size_t>(-1) ? Key{Key::Kind::other} : Key{Key::Kind::text, std::string(utf8, n)};
  }

 private:
  static Key named(int code) {
    using K = Key::Kind;
    switch (code) {
      case KEY_ENTER:
        return {K::enter};
      case KEY_UP:
        return {K::up};
      case KEY_DOWN:
        return {K::down};
      case KEY_PPAGE:
        return {K::page_up};
      case KEY_NPAGE:
        return {K::page_down};
      case KEY_HOME:
        return {K::home};
      case KEY_END:
        return {K::end};
      case KEY_BACKSPACE:
        return {K::backspace};
      default:
        return {K::other};  // a resize as well: all is drawn anew
    }
  }
  attr_t look_of(Line::Look look) const {
    switch (look) {
      case Line::Look::title:
        return colours_ ? static_cast<attr_t>(COLOR_PAIR(2)) : A_REVERSE;
      case Line::Look::selected:
        return A_REVERSE;
      case Line::Look::dim:
        return A_DIM;
      case Line::Look::strong:
        return A_BOLD;
      case Line::Look::alarm:
        return colours_ ? static_cast<attr_t>(COLOR_PAIR(1)) | A_BOLD : A_BOLD;
      default:
        return A_NORMAL;
    }
  }

  SCREEN* screen_ = nullptr;
  bool colours_ = false;
};

}  // namespace

Result<void> run(Source& source, const std::string& user) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
    return fail(ErrorKind::invalid, "this needs a terminal: 'tillsync conflicts list' works without one");
  Screen screen;
  if (!screen.ok())
    return fail(ErrorKind::invalid,
                "this terminal is not known (TERM): try with TERM=xterm, or 'tillsync conflicts list'");
  Model model(source.name(), user);
  std::future<Result<std::vector<Item>>> asked;
  auto next = std::chrono::steady_clock::now();
  while (!model.done()) {
    const auto now = std::chrono::steady_clock::now();
    if (!asked.valid() && now >= next) asked = std::async(std::launch::async, [&] { return source.fetch(); });
    if (asked.valid() && asked.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      model.on_fetched(asked.get(), wall_ms());
      next = now + source.every();
    }
    screen.show(model.draw(screen.size()));
    const auto key = screen.key();
    if (!key) continue;
    if (const auto order = model.on_key(*key, screen.size())) {
      if (asked.valid()) asked.wait(), (void)asked.get();  // it was asked before the word
      model.on_settled(source.settle(order->conflict, order->word));
      next = {};
    }
  }
  if (asked.valid()) asked.wait();
  return {};
}

}  // namespace tillsync::tui
