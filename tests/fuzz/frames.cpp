// Records and frames of a channel: sealed ones cut as the input says, and raw bytes.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/noise/secure_stream.hpp"

using namespace tillsync;
using fuzz::Input;

namespace {

noise::CipherState cipher() { return noise::CipherState(noise::Key{1}); }

std::size_t big_endian(ByteView bytes) {
  std::size_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<std::uint8_t>(c);
  return n;
}

// What the stream of frames says, as the header describes it; nothing from a frame on that is too long.
std::vector<Bytes> expected(ByteView stream, bool& too_long) {
  std::vector<Bytes> out;
  while (stream.size() >= 4 && !too_long) {
    const std::size_t length = big_endian(stream.substr(0, 4));
    too_long = length > noise::kMaxFrame;
    if (too_long || stream.size() < 4 + length) break;
    if (length > 0) out.emplace_back(stream.substr(4, length));
    stream.remove_prefix(4 + length);
  }
  return out;
}

// Two bytes of a frame's length are the input's, so that long ones come up without long inputs.
void sealed(Input in) {
  Bytes stream, wire;
  noise::CipherState seal = cipher();
  std::vector<Bytes> got;
  noise::RecordReader reader(cipher());
  bool refused = false;
  while (!in.empty() && !refused && stream.size() < (4U << 20)) {
    Bytes plain = in.take(in.byte());
    if (plain.size() > 3 && plain[0] == '\x7f') plain = Bytes(in.number() % 65000, plain[1]);  // a long one, cheaply
    stream += plain;
    const Bytes record = seal.encrypt({}, plain);
    wire += static_cast<char>(record.size() >> 8);
    wire += static_cast<char>(record.size());
    wire += record;
    const std::size_t cut = std::min<std::size_t>(in.byte(), wire.size());
    auto first = reader.take(wire.substr(0, cut));
    auto second = first ? reader.take(wire.substr(cut)) : first;
    refused = !second;
    for (auto* some : {&first, &second}) {
      if (*some) got.insert(got.end(), (*some)->begin(), (*some)->end());
    }
    wire.clear();
    if (stream.find(Bytes(4, '\0')) != Bytes::npos) return;  // a change of key, perhaps: what follows is sealed anew
  }
  bool too_long = false;
  const std::vector<Bytes> all = expected(stream, too_long);
  if (!refused) fuzz::require(got == all && !too_long, "frames came out other than they went in");
}

void raw(Input in) {
  noise::RecordReader reader(cipher());
  while (!in.empty()) {
    const auto got = reader.take(in.take(1 + in.byte()));
    if (!got) return;
    fuzz::require(got->empty(), "a frame that nobody sealed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  in.byte() % 4 == 0 ? raw(in) : sealed(in);
  return 0;
}
