// Draws a Model on the terminal with ncurses, and reads its keys, until somebody quits. The terminal is left as it was,
// whatever happens; it may be resized meanwhile, have no colours, and be at the other end of ssh.
#pragma once

#include "conflicts/tui/source.hpp"

namespace tillsync::tui {

// `user` fills in the name. Errors: invalid when there is no terminal to draw on.
Result<void> run(Source& source, const std::string& user);

}  // namespace tillsync::tui
