// Drives a fuzz target where there is no libFuzzer: every file of the corpus, then copies of them, changed a little by
// dice that always fall the same way.
//
//   fuzz_messages tests/fuzz/corpus/messages --runs 20000
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

#include "storage/base/random.hpp"
#include "tests/fuzz/fuzz.hpp"

using tillsync::Random;

namespace {

std::vector<std::string> read_corpus(const std::string& folder) {
  std::vector<std::string> paths, out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    out.push_back(content.str());
  }
  return out;
}

void change(std::string& bytes, const std::string& other, Random& random) {
  const std::size_t at = random.below(bytes.size() + 1);
  switch (random.below(5)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random.next());
      break;
    case 2:
      bytes.erase(at, random.below(8));
      break;
    case 3:
      bytes.insert(at, other.substr(random.below(other.size() + 1), random.below(32)));
      break;
    default:
      bytes.resize(at);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::cerr << "name a corpus\n", 2;
  const std::vector<std::string> corpus = read_corpus(argv[1]);
  const unsigned long runs = argc > 3 && std::strcmp(argv[2], "--runs") == 0 ? std::strtoul(argv[3], nullptr, 10) : 0;
  const auto run = [](const std::string& bytes) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  };
  for (const std::string& bytes : corpus) run(bytes);
  Random random(7);
  for (unsigned long i = 0; i < runs && !corpus.empty(); ++i) {
    std::string bytes = corpus[random.below(corpus.size())];
    for (auto n = 1 + random.below(4); n > 0; --n) change(bytes, corpus[random.below(corpus.size())], random);
    run(bytes);
  }
  std::cout << corpus.size() << " of the corpus and " << runs << " changed ones held\n";
  return corpus.empty() ? 1 : 0;
}
