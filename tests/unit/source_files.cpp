#include "tests/unit/source_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace fs = std::filesystem;

namespace tillsync::test {

namespace {

std::vector<SourceFile> read_sources() {
  std::vector<SourceFile> out;
  const fs::path root = TILLSYNC_SOURCE;
  for (const char* room : {"storage", "lease", "conflicts", "engine", "transport", "sim", "tools", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".h") continue;
      SourceFile source{fs::relative(entry.path(), root).string(), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) source.lines.push_back(line);
      out.push_back(std::move(source));
    }
  }
  REQUIRE(out.size() > 50);
  std::ranges::sort(out, {}, &SourceFile::path);
  return out;
}

// Without what stands between < and > of templates, so that a ( there is not taken for a function's.
std::string without_template_arguments(const std::string& text) {
  std::string out;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char before = i == 0 ? ' ' : text[i - 1];
    const bool opens = text[i] == '<' && (std::isalnum(static_cast<unsigned char>(before)) || before == '_');
    if (opens) {
      ++depth;
    } else if (text[i] == '>' && depth > 0 && before != '-') {
      --depth;
    } else if (depth == 0) {
      out += text[i];
    } else if (text[i] == '<') {
      ++depth;
    }
  }
  return out;
}

std::size_t end_of_braces(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return text.size();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Walks over the declarations of one class body.
class ClassBody {
 public:
  explicit ClassBody(ClassMeasure& out) : out_(out) {}

  void read(const std::string& code, std::size_t at) {
    for (; at < code.size() && code[at] != '}'; ++at) {
      const char c = code[at];
      if (c == '{') {
        const std::size_t end = end_of_braces(code, at);
        brace();
        at = end;
      } else if (c == ';') {
        finish();
      } else if (c == ':' && is_access(trimmed(statement_))) {
        public_ = trimmed(statement_) == "public";
        statement_.clear();
      } else {
        statement_ += c;
      }
    }
  }

 private:
  static bool is_access(const std::string& word) {
    return word == "public" || word == "private" || word == "protected";
  }

  // The braces of a nested type, of a function's body, or of an initialiser.
  void brace() {
    static const std::regex nested("^(template\\s*)?(enum|struct|class|union)\\b");
    static const std::regex function(
        "\\)\\s*((const|override|noexcept|final|requires[^;]*|->\\s*[\\w:]+)\\s*)*(:[^;]*)?$");
    const std::string plain = trimmed(without_template_arguments(statement_));
    statement_ += std::regex_search(plain, nested) ? "NESTED" : "{}";
    if (!std::regex_search(plain, nested) && std::regex_search(plain, function)) finish();
  }

  void finish() {
    static const std::regex no_member("^(using|friend|static|typedef|struct|class|enum)\\b");
    static const std::regex function("\\w\\s*\\(");
    const std::string head = std::regex_replace(trimmed(statement_), std::regex("^template\\s*<[^>]*>"), "");
    statement_.clear();
    const std::string plain = trimmed(without_template_arguments(head));
    if (plain.empty() || plain.find("NESTED") != std::string::npos) return;
    const std::string declared = plain.substr(0, plain.find('='));
    if (std::regex_search(declared, function) || plain.find("operator") != std::string::npos) {
      const std::regex special("(^|\\s|~)" + out_.name + "\\s*\\(|operator|=\\s*delete");
      if (public_ && !std::regex_search(plain, special)) ++out_.public_functions;
    } else if (!std::regex_search(plain, no_member)) {
      out_.members += 1 + static_cast<int>(std::ranges::count(declared.substr(0, declared.find('{')), ','));
    }
  }

  ClassMeasure& out_;
  std::string statement_;
  bool public_ = false;
};

}  // namespace

std::string SourceFile::text() const {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

std::string SourceFile::code() const {
  std::string out = text();
  auto blank = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < std::min(to, out.size()); ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
  };
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out.compare(i, 2, "//") == 0) {
      const std::size_t end = std::min(out.find('\n', i), out.size());
      blank(i, end);
      i = end;
    } else if (out.compare(i, 3, "R\"(") == 0) {
      const std::size_t end = std::min(out.find(")\"", i), out.size());
      blank(i + 3, end);
      i = end + 1;
    } else if (out[i] == '"' || (out[i] == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(out[i - 1]))))) {
      const char quote = out[i];
      std::size_t end = i + 1;
      while (end < out.size() && out[end] != quote && out[end] != '\n') end += out[end] == '\\' ? 2 : 1;
      blank(i + 1, end);
      i = end;
    }
  }
  return out;
}

const std::vector<SourceFile>& source_files() {
  static const std::vector<SourceFile> kFiles = read_sources();
  return kFiles;
}

std::vector<std::string> includes_of(const SourceFile& file) {
  static const std::regex include("^#include ([\"<])([^\">]+)[\">]");
  static const std::set<std::string> kEngine = {"till.hpp", "status.hpp"};
  std::vector<std::string> out;
  for (const std::string& line : file.lines) {
    std::smatch match;
    if (!std::regex_search(line, match, include)) continue;
    const std::string path = match[2].str();
    if (match[1] == "\"") out.push_back(path);
    if (path.starts_with("tillsync/"))
      out.push_back((kEngine.contains(path.substr(9)) ? "engine/include/" : "storage/include/") + path);
  }
  return out;
}

std::vector<ClassMeasure> classes_of(const SourceFile& file) {
  static const std::regex head("\\bclass\\s+([A-Z]\\w*)\\b[^;{}()]*\\{");
  const std::string code = file.code();
  std::vector<ClassMeasure> out;
  for (std::sregex_iterator it(code.begin(), code.end(), head), end; it != end; ++it) {
    const auto at = static_cast<std::size_t>(it->position());
    if (trimmed(code.substr(at < 6 ? 0 : at - 6, 6)).ends_with("enum")) continue;
    ClassMeasure measure{(*it)[1].str(), file.path};
    ClassBody(measure).read(code, at + static_cast<std::size_t>(it->length()));
    out.push_back(std::move(measure));
  }
  return out;
}

// As clang-format lays them out: a definition begins in the first column, and so does its last brace.
std::vector<FunctionMeasure> functions_of(const SourceFile& file) {
  static const std::regex other("^(namespace|struct|class|enum|extern|#|\\}|/|\\s)");
  std::vector<FunctionMeasure> out;
  constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t begun = kNone;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (begun == kNone && line.ends_with("{") && !std::regex_search(line, other)) begun = i;
    if (begun == kNone || !line.starts_with("}")) continue;
    out.push_back({file.lines[begun], file.path, static_cast<int>(i - begun + 1)});
    begun = kNone;
  }
  return out;
}

std::vector<std::string> classes_defined_in(const SourceFile& file) {
  static const std::regex definition("^[A-Za-z].*?\\b([A-Z]\\w*)::~?\\w+\\([^;]*$");
  std::set<std::string> out;
  for (const std::string& line : file.lines) {
    std::smatch match;
    if (std::regex_search(line, match, definition)) out.insert(match[1].str());
  }
  return {out.begin(), out.end()};
}

}  // namespace tillsync::test
