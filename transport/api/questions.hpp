// The one table of what can be asked: its word, who may ask, whether it changes anything, what it takes, what it is
// answered. Control socket, a person's questions from elsewhere (messages 50 and 51) and HTTP all speak it.
#pragma once

#include <algorithm>

#include "engine/cloud/rights.hpp"
#include "transport/api/answers.hpp"

namespace tillsync::api {

enum class Does { reads, writes };

// The user of this machine may ask everything. A person's key in a roster, from elsewhere, and an operator's key, over
// HTTP, may ask what is open to that kind of key and their role has the right to (engine/cloud/rights.hpp).
enum class Key : std::uint8_t { none, in_roster, of_operator };
struct Who {
  Key key = Key::none;
  Right right = Right::sync;
};
constexpr Who kUser{};
constexpr Who person(Right right) { return {Key::in_roster, right}; }
constexpr Who operator_key(Right right) { return {Key::of_operator, right}; }

template <std::size_t N>
struct Word {
  char text[N]{};
  constexpr Word(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: a literal
};

template <Word kWord, Who kMayAsk, Does kDoes, class R, class A>
struct Asks {
  using Request = R;
  using Answer = A;
  static constexpr std::string_view kName{kWord.text};
  static constexpr Who kWho = kMayAsk;
  static constexpr bool kReads = kDoes == Does::reads;
};

template <class... Each>
struct Table {
  template <class F>
  static void each(F&& visit) {
    (visit(Each{}), ...);
  }
};

using Stock = std::map<std::string, std::int64_t>;  // thousandths, by product
using Values = std::map<std::string, Json>;         // by name, or by a row's id

// clang-format off
using TillQuestions = Table<
    Asks<"status",      kUser,                        Does::reads,  StatusRequest,      StatusAnswer>,
    Asks<"queue",       kUser,                        Does::reads,  QueueRequest,       QueuePage>,
    Asks<"ops",         kUser,                        Does::reads,  OpsRequest,         OpsPage>,
    Asks<"where",       kUser,                        Does::reads,  WhereRequest,       Reached>,
    Asks<"stock",       kUser,                        Does::reads,  StockRequest,       Stock>,
    Asks<"available",   kUser,                        Does::reads,  AvailableRequest,   AvailabilityView>,
    Asks<"row",         kUser,                        Does::reads,  RowRequest,         RowView>,
    Asks<"settings",    kUser,                        Does::reads,  SettingsRequest,    Values>,
    Asks<"conflicts",   kUser,                        Does::reads,  ConflictsRequest,   std::vector<ConflictView>>,
    Asks<"conflicts_page", person(Right::read_conflicts), Does::reads, ConflictsPageRequest, ConflictsPage>,
    Asks<"lease",       person(Right::read_lease),    Does::reads,  LeaseRequest,       LeaseAnswer>,
    Asks<"roster_held", person(Right::read_lease),    Does::reads,  RosterHeldRequest,  RosterHeld>,
    Asks<"roster",      kUser,                        Does::reads,  RosterRequest,      OrNull<RosterView>>,
    Asks<"certificate", kUser,                        Does::reads,  CertificateRequest, CertificateAnswer>,
    Asks<"record",      kUser,                        Does::writes, RecordRequest,      Receipt>,
    Asks<"edit",        kUser,                        Does::writes, EditRequest,        Receipt>,
    Asks<"wait",        kUser,                        Does::writes, WaitRequest,        Reached>,
    Asks<"command",     kUser,                        Does::writes, CommandRequest,     Nothing>,
    Asks<"step_down",   kUser,                        Does::writes, StepDownRequest,    Nothing>,
    Asks<"take_roster", kUser,                        Does::writes, TakeRosterRequest,  RosterTaken>>;

using CloudQuestions = Table<
    Asks<"status",      kUser,                        Does::reads,  CloudStatusRequest, CloudStatus>,
    Asks<"fleet",       operator_key(Right::read_fleet),    Does::reads,  FleetRequest,       std::vector<FleetBranch>>,
    Asks<"chains",      kUser,                        Does::reads,  ChainsRequest,      std::vector<ChainView>>,
    Asks<"ops",         kUser,                        Does::reads,  OpsRequest,         OpsPage>,
    Asks<"stock",       kUser,                        Does::reads,  StockRequest,       Stock>,
    Asks<"rows",        kUser,                        Does::reads,  RowsRequest,        Values>,
    Asks<"conflicts",   operator_key(Right::read_conflicts), Does::reads, ConflictsRequest,   std::vector<ConflictView>>,
    Asks<"conflicts_page", person(Right::read_conflicts), Does::reads, ConflictsPageRequest, ConflictsPage>,
    Asks<"resolve",     kUser,                        Does::writes, ResolveRequest,     Nothing>,
    Asks<"roster_held", kUser,                        Does::reads,  RosterHeldRequest,  RosterHeld>,
    Asks<"take_roster", kUser,                        Does::writes, TakeRosterRequest,  RosterTaken>,
    Asks<"put_rows",    kUser,                        Does::writes, PutRowsRequest,     RowsChanged>,
    Asks<"import_checkpoint", operator_key(Right::import_rows), Does::reads, ImportCheckpointRequest, Checkpoint>,
    Asks<"operators",   kUser,                        Does::reads,  OperatorsRequest,   std::vector<OperatorView>>,
    Asks<"operator_add", kUser,                       Does::writes, OperatorAddRequest, KeyMade>,
    Asks<"operator_remove", kUser,                    Does::writes, OperatorRemoveRequest, Nothing>,
    Asks<"webhook_set", kUser,                        Does::writes, WebhookSetRequest,  WebhookMade>,
    Asks<"webhook_show", operator_key(Right::read_webhook), Does::reads,  WebhookShowRequest, WebhookView>,
    Asks<"webhook_aside", operator_key(Right::read_webhook), Does::reads, WebhookAsideRequest, std::vector<AsideView>>,
    Asks<"webhook_replay", operator_key(Right::replay_webhook), Does::writes, WebhookReplayRequest, Replayed>,
    Asks<"webhook_remove", kUser,                     Does::writes, WebhookRemoveRequest, Nothing>,
    Asks<"backup",      kUser,                        Does::writes, BackupRequest,      Nothing>>;
// clang-format on

template <class R, class... Tables>
struct Find;
template <class R, class Here, class... Each, class... Tables>
struct Find<R, Table<Here, Each...>, Tables...> : Find<R, Table<Each...>, Tables...> {};
template <class R, class A, Word kWord, Who kWho, Does kDoes, class... Each, class... Tables>
struct Find<R, Table<Asks<kWord, kWho, kDoes, R, A>, Each...>, Tables...> {
  using Type = Asks<kWord, kWho, kDoes, R, A>;
};
template <class R, class Next, class... Tables>
struct Find<R, Table<>, Next, Tables...> : Find<R, Next, Tables...> {};

// The line of the table that a request has; of those that both tiers answer it is the till's, which says the same but
// for who may ask.
template <class R>
using LineOf = typename Find<R, TillQuestions, CloudQuestions>::Type;
template <class R>
using AnswerTo = typename LineOf<R>::Answer;

// Askers of this release say so: they read and send bytes as text (reflect.hpp).
constexpr int kRelease = 2;

template <class R>
Json question_of(const R& request) {
  Json out = write(request);
  out["do"] = LineOf<R>::kName;
  out["api"] = kRelease;
  return out;
}

template <class A>
Result<A> answer_from(Result<Json> answer) {
  if (!answer) return tl::unexpected(std::move(answer.error()));
  auto read = from_json<A>(*answer);
  if (!read)
    return fail(ErrorKind::invalid, "what came back is not understood: is it another release?", read.error().message);
  return read;
}

}  // namespace tillsync::api
