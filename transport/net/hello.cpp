#include "transport/net/hello.hpp"

#include <algorithm>

namespace tillsync {

Result<std::uint32_t> agree(const Hello& mine, const Hello& theirs) {
  const std::uint32_t newest = std::min(mine.newest, theirs.newest);
  if (newest >= std::max(mine.oldest, theirs.oldest)) return newest;
  const bool mine_is_old = mine.newest < theirs.oldest;
  return fail(ErrorKind::refused, (mine_is_old ? mine.name.text : theirs.name.text) +
                                      " runs a release that is too old for the other end: update it");
}

}  // namespace tillsync
