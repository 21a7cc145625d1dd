// Writes what a fuzzer begins with: one of every message, an op of every kind, rosters and certificates. For when a
// format has changed and the corpus has not.
//
//   fuzz_seeds tests/fuzz/corpus
#include <filesystem>
#include <fstream>

#include "engine/wire/messages.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"

using namespace tillsync;

namespace {

// Gives every field of a record something to hold.
struct Filling {
  template <class... T>
  void operator()(T&... each) {
    (fill(each), ...);
  }
  void fill(bool& v) { v = true; }
  void fill(std::string& v) { v = "text"; }
  void fill(Binary& v) { v = Binary(Bytes(8, 'b')); }
  void fill(Hash& v) { v = blake2b("hash"); }
  void fill(Hlc& v) { v = Hlc::at(1'770'000'000'000); }
  template <std::integral T>
  void fill(T& v) {
    v = 7;
  }
  template <class T>
  requires std::is_enum_v<T>
  void fill(T& v) { v = static_cast<T>(1); }
  template <class Tag>
  void fill(Number<Tag>& v) {
    v.value = 300;
  }
  template <class Tag>
  void fill(Name<Tag>& v) {
    v.text = "till-1";
  }
  template <class T>
  void fill(Later<T>& v) {
    fill(v.value);
  }
  template <class T>
  void fill(std::optional<T>& v) {
    fill(v.emplace());
  }
  template <class T>
  void fill(std::vector<T>& v) {
    fill(v.emplace_back());
  }
  template <class K, class V>
  void fill(std::map<K, V>& v) {
    K key;
    fill(key);
    fill(v[key]);
  }
  template <class T>
  requires requires(T t, Filling& a) { t.fields(a); }
  void fill(T& v) { v.fields(*this); }
};

template <class T>
T filled() {
  T value{};
  Filling().fill(value);
  return value;
}

void write(const std::string& folder, const std::string& name, ByteView bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
}

Op op_of(OpKind kind, Bytes body) {
  Op op{BranchId{"main"},
        {TillId{"till-1"}, Incarnation{9}},
        Seq{1},
        Hlc::at(1'770'000'000'000),
        {},
        kind,
        "key",
        "ann",
        {},
        {},
        std::move(body)};
  if (kind == OpKind::refund) op.origin = Origin{Incarnation{8}, Seq{4}, op.hlc};
  return op;
}

Bytes document() {
  Document document;
  document.lines.push_back({"bread", Quantity::units(2), 350, "Bread"});
  document.fields["table"] = "4";
  return encode(document);
}

template <std::size_t I = 0>
void write_messages(const std::string& folder) {
  if constexpr (I < std::variant_size_v<Message>) {
    auto body = filled<std::variant_alternative_t<I, Message>>();
    if constexpr (std::is_same_v<decltype(body), Push>) body.ops = {Binary(encode(op_of(OpKind::sale, document())))};
    write(folder, "message-" + std::to_string(I), encode(Message(std::move(body))));
    write_messages<I + 1>(folder);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "corpus";
  write_messages(folder + "/messages");
  for (std::uint16_t kind = 1; kind <= 14; ++kind)
    write(folder + "/messages", "op-" + std::to_string(kind), encode(op_of(OpKind{kind}, document())));
  write(folder + "/messages", "op-edit", encode(op_of(OpKind::edit, pack(filled<RowEdit>()))));
  Roster roster = filled<Roster>();
  roster.lease_ms = 3000;
  write(folder + "/roster", "roster", roster.encoded());
  write(folder + "/roster", "certificate", pack(filled<Certificate>()));
  write(folder + "/roster", "two-grants", pack(filled<TwoGrants>()));
  return 0;
}
