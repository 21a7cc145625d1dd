#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/network/lan_shop.hpp"

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;  // as CTest's SKIP_RETURN_CODE
  if (!tillsync::test::namespaces_here()) return kSkipped;
  return doctest::Context(argc, argv).run();
}
