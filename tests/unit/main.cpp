#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <string_view>

#include "tests/unit/rewrite.hpp"

namespace {
bool rewrite = false;
}

bool rewrite_scripts() { return rewrite; }

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) rewrite = rewrite || std::string_view(argv[i]) == "--rewrite";
  return doctest::Context(argc, argv).run();
}
