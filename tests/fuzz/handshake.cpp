// A handshake between two honest sides, with somebody in the middle who changes bytes; and one with a stranger.
#include "transport/net/noise/handshake.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;
using namespace tillsync::noise;
using fuzz::Input;

namespace {

constexpr Pattern kPatterns[] = {Pattern::NK, Pattern::KK, Pattern::XK, Pattern::IK, Pattern::XX, Pattern::XXpsk3};

KeyPair pair(std::uint8_t n) { return KeyPair::of(Key{n, 7}); }

Handshake side(Pattern pattern, Handshake::Side which, ByteView prologue) {
  const bool dials = which == Handshake::Side::initiator;
  return Handshake(pattern, which, prologue,
                   {pair(dials ? 1 : 2), pair(dials ? 3 : 4), pair(dials ? 2 : 1).open, Key{9}});
}

// What comes out of read() was sealed by the other side, or lies bare in the message.
void between(Input& in, Pattern pattern) {
  Handshake dial = side(pattern, Handshake::Side::initiator, "fuzz"),
            answer = side(pattern, Handshake::Side::responder, "fuzz");
  bool changed = false;
  while (!dial.finished() && !answer.finished()) {
    Handshake& from = dial.my_turn() ? dial : answer;
    Handshake& to = dial.my_turn() ? answer : dial;
    auto message = from.write(in.take(in.byte() % 64));
    if (!message) return;
    for (int edits = in.byte() % 4; edits > 0 && !message->empty(); --edits) {
      char& at = (*message)[in.number() % message->size()];
      const auto with = static_cast<char>(in.byte());
      changed = changed || with != 0;
      at = static_cast<char>(at ^ with);
    }
    if (in.byte() % 16 == 0) {
      const std::size_t length = in.number() % (message->size() + 40);
      changed = changed || length != message->size();
      message->resize(length, '\0');
    }
    if (!to.read(*message)) return;
  }
  if (dial.hash() != answer.hash()) {
    fuzz::require(changed, "two honest sides came to different handshakes");
    return;
  }
  auto sender = dial.split().send, reader = answer.split().receive;
  fuzz::require(reader.decrypt({}, sender.encrypt({}, "paid")) == "paid", "a channel that does not carry");
}

void stranger(Input& in, Pattern pattern) {
  const auto which = in.byte() % 2 == 0 ? Handshake::Side::initiator : Handshake::Side::responder;
  Handshake own = side(pattern, which, "fuzz");
  while (!own.finished()) {
    if (own.my_turn()) {
      if (!own.write({})) return;
    } else if (!own.read(in.take(in.number() % 600))) {
      return;
    }
  }
  fuzz::require(false, "somebody without a key finished a handshake");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const std::uint8_t choice = in.byte();
  const Pattern pattern = kPatterns[choice / 2 % std::size(kPatterns)];
  choice % 2 == 0 ? between(in, pattern) : stranger(in, pattern);
  return 0;
}
