#include "transport/base/settings_edit.hpp"

#include <algorithm>

namespace tillsync {

namespace {

std::size_t skip_space(const std::string& text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

std::size_t end_of_line(const std::string& text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

// Behind "name =" if the line that begins at `at` sets it.
std::size_t value_of(const std::string& text, std::size_t at, const std::string& name) {
  at = skip_space(text, at);
  const bool quotes = at < text.size() && text[at] == '"';
  const std::string key = quotes ? '"' + name + '"' : name;
  if (text.compare(at, key.size(), key) != 0) return std::string::npos;
  at = skip_space(text, at + key.size());
  return at < text.size() && text[at] == '=' ? skip_space(text, at + 1) : std::string::npos;
}

std::size_t end_of_quoted(const std::string& text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote && text[at] != '\n') at += quote == '"' && text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// Of a value that begins at `at`: a text, an array over several lines, or a bare word.
std::size_t end_of_value(const std::string& text, std::size_t at) {
  for (int depth = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = end_of_quoted(text, at);
      if (depth == 0) return at;
    } else if (c == '#') {
      if (depth == 0) break;
      at = end_of_line(text, at);
    } else if (c == '\n' && depth == 0) {
      break;
    } else {
      depth += c == '[' ? 1 : c == ']' ? -1 : 0;
      ++at;
      if (c == ']' && depth == 0) return at;
    }
  }
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t' || text[at - 1] == '\r')) --at;
  return at;
}

std::string peers_text(const std::vector<std::pair<TillId, Address>>& peers) {
  std::string out = "[";
  for (const auto& [name, at] : peers) out += (out.size() > 1 ? ", " : "") + quoted(name.text + "@" + at.text());
  return out + "]";
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string with_setting(const std::string& toml, const std::string& name, const std::string& value) {
  std::optional<std::size_t> example;
  std::size_t line = 0;
  while (line < toml.size()) {
    const std::size_t first = skip_space(toml, line);
    if (toml[first] == '[') break;  // a table: what follows is its
    if (const std::size_t at = value_of(toml, line, name); at != std::string::npos)
      return toml.substr(0, at) + value + toml.substr(end_of_value(toml, at));
    if (toml[first] == '#') {
      if (!example && value_of(toml, first + 1, name) != std::string::npos) example = line;
    } else if (const std::size_t equals = toml.find('=', first); equals < end_of_line(toml, first)) {
      line = end_of_value(toml, skip_space(toml, equals + 1));  // an array may go on for lines
    }
    line = end_of_line(toml, line) + 1;
  }
  const std::string set = name + " = " + value;
  if (example) return toml.substr(0, *example) + set + toml.substr(end_of_line(toml, *example));
  line = std::min(line, toml.size());
  const bool ended = line == 0 || toml[line - 1] == '\n';
  return toml.substr(0, line) + (ended ? "" : "\n") + set + "\n" + toml.substr(line);
}

Result<Settings> change_settings(const DataFolder& folder, const SettingsChange& change) {
  const std::string path = folder.file("till.toml");
  auto settings = load_settings(folder);
  if (!settings) return settings;
  const auto written = read_file(path);
  if (!written) return tl::unexpected(written.error());
  std::string text = *written;
  const auto set = [&](const char* name, const std::string& value) { text = with_setting(text, name, value); };
  if (change.listen) set("listen", quoted(change.listen->text()));
  if (change.cloud) set("cloud", quoted(change.cloud->text()));
  if (change.interface) set("interface", quoted(*change.interface));
  for (const auto& peer : change.more_peers) {
    if (std::ranges::find(settings->peers, peer) == settings->peers.end()) settings->peers.push_back(peer);
  }
  if (!change.more_peers.empty()) set("peers", peers_text(settings->peers));
  const auto changed = Settings::parse(text, path);
  const bool as_meant = changed && (!change.listen || changed->listen == *change.listen) &&
                        (!change.cloud || changed->cloud == change.cloud) &&
                        (!change.interface || changed->interface == *change.interface) &&
                        changed->peers == settings->peers;
  if (!as_meant)
    return fail(ErrorKind::invalid, "can't change " + path + ", which is written in a way of its own: edit it by hand");
  if (text == *written) return changed;
  if (auto kept = replace_file(path, text); !kept) return tl::unexpected(kept.error());
  return changed;
}

}  // namespace tillsync
