// What tills, hosts and clouds say to each other: any message, and how it becomes bytes. A message is the MessagePack
// array [type, body]. The type is the struct's kType: numbers are never reused, docs/wire-protocol.md lists them. A
// body is an array whose unknown trailing fields are ignored.
#pragma once

#include <optional>
#include <variant>

#include "engine/wire/branch_messages.hpp"
#include "engine/wire/feed_messages.hpp"
#include "engine/wire/history_messages.hpp"
#include "engine/wire/question_messages.hpp"
#include "lease/messages.hpp"

namespace tillsync {

constexpr std::size_t kMaxMessageBytes = 1024 * 1024;  // a frame's limit; larger things travel in pages

using Message =
    std::variant<HistoryOffer, Ack, Push, Fetch, Fetched, Pull, Pages, PullEvents, Events, Ping, Pong, NewRoster,
                 Unknown, PreVote, PreVoteReply, RequestGrant, Grant, Deny, Release, Announce, DivergentBatchAck, Seen,
                 Vitals, TwoGrants, Command, Commanded, Question, Answer, Progress, Busy, CloudReset>;

Bytes encode(const Message& message);
// Nothing when malformed; a well-formed message of an unknown type comes back as Unknown.
std::optional<Message> decode_message(ByteView bytes);

}  // namespace tillsync
