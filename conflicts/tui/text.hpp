// Text as a terminal shows it: UTF-8, in columns (a Chinese character takes two).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tillsync::tui {

std::size_t columns(const std::string& text);
std::string cut(const std::string& text, std::size_t width);        // to so many columns, with ".." where it was longer
std::string fit(const std::string& text, std::size_t width);        // cut, or filled with blanks
std::string fit_right(const std::string& text, std::size_t width);  // the same, to the right
std::vector<std::string> wrap(const std::string& text, std::size_t width);  // at blanks
void erase_last(std::string& text);                                         // character
std::string plain(const std::string& text);                                 // without control characters

std::string ago(std::int64_t ms);  // "3 min"

}  // namespace tillsync::tui
