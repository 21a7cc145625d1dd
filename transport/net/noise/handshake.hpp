// The Noise handshake (specification revision 34, section 5.3), exactly as specified: messages go back and forth until
// finished(), then split() gives the two ciphers of the channel. Checked against public test vectors.
//
//   Handshake dial(Pattern::IK, Handshake::Side::initiator, prologue, own, fresh, their_static);
//   send(dial.write(payload));
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transport/net/noise/primitives.hpp"

namespace tillsync::noise {

// NK and XX serve tools and tests; tills use IK among members and XXpsk3 to pair.
enum class Pattern { NK, KK, XK, IK, XX, XXpsk3 };
std::optional<Pattern> pattern_named(const std::string& name);  // "IK"

class Handshake {
 public:
  enum class Side { initiator, responder };
  struct Keys {
    std::optional<KeyPair> own;  // static
    KeyPair fresh;               // ephemeral: from a good random source, used once
    std::optional<Key> remote;   // the other's static key, where the pattern needs it beforehand
    std::optional<Key> psk;
  };
  Handshake(Pattern pattern, Side side, ByteView prologue, Keys keys);

  bool my_turn() const;
  bool finished() const { return next_ == messages_.size(); }

  // Nothing when a key is of low order. Call only on my_turn().
  std::optional<Bytes> write(ByteView payload);
  // The payload; nothing when the message is malformed, tampered with or from someone else: give the connection up.
  std::optional<Bytes> read(ByteView message);

  const std::optional<Key>& remote() const { return keys_.remote; }
  const Digest& hash() const { return hash_; }  // names this handshake: sign it to bind another key to it

  struct Channel {
    CipherState send, receive;
  };
  Channel split() const;

 private:
  enum class Token { e, s, ee, es, se, ss, psk };
  using Message = std::vector<Token>;
  struct Script {
    std::vector<Token> initiator_pre, responder_pre;
    std::vector<Message> messages;
  };
  static Script script_of(Pattern pattern);

  void mix_key(ByteView input);
  void mix_hash(ByteView data);
  void mix_key_and_hash(ByteView input);
  Bytes encrypt_and_hash(ByteView plain);
  std::optional<Bytes> decrypt_and_hash(ByteView cipher);
  bool mix_dh(Token token);
  std::optional<Bytes> take_key(ByteView& message, bool encrypted);

  Side side_;
  Keys keys_;
  std::optional<Key> remote_fresh_;
  std::vector<Message> messages_;
  std::size_t next_ = 0;
  bool uses_psk_ = false;
  Digest chaining_key_{};
  Digest hash_{};
  CipherState cipher_;
};

}  // namespace tillsync::noise
