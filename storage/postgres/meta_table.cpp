#include "storage/postgres/meta_table.hpp"

#include "storage/postgres/indexed.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kPutNotes{"put_notes",
                              "INSERT INTO note (name, value) SELECT unnest($1::bytea[]), unnest($2::bytea[]) ON "
                              "CONFLICT (name) DO UPDATE SET value = excluded.value"};
constexpr Statement kNotes{
    "notes", "SELECT n.name, n.value FROM (SELECT unnest($1::bytea[]) AS name) w JOIN note n ON n.name = w.name"};
constexpr Statement kDropNotes{"drop_notes", "DELETE FROM note WHERE name = ANY ($1::bytea[])"};
constexpr Statement kNotesFrom{"notes_from",
                               "SELECT name, value FROM note WHERE name >= $1 AND name < $2 ORDER BY name"};

}  // namespace

void MetaTable::expect(const std::vector<std::string>& wanted) {
  Column names(kBytes);
  for (const std::string& name : wanted) {
    const auto [entry, fresh] = entries_.try_emplace(indexed(name));
    if (fresh) names.add(ByteView(entry->first));
  }
  const auto rows = names.size() == 0 ? std::nullopt : session_.run(kNotes, Values().add(names));
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    entries_[std::string(rows->bytes(i, 0))] = Bytes(rows->bytes(i, 1));
}

std::optional<Bytes> MetaTable::find(const std::string& name) {
  const std::string key = indexed(name);
  if (!entries_.contains(key)) expect({name});
  return entries_[key];
}

void MetaTable::read_all(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit) {
  flush();
  std::string end = prefix;
  end.back() = static_cast<char>(end.back() + 1);
  const auto rows = session_.run(kNotesFrom, Values().add(ByteView(prefix)).add(ByteView(end)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) visit(std::string(rows->bytes(i, 0)), rows->bytes(i, 1));
}

void MetaTable::put(const std::string& name, ByteView value) {
  const std::string key = indexed(name);
  entries_[key] = Bytes(value);
  changed_.insert(key);
}

void MetaTable::drop(const std::string& name) {
  const std::string key = indexed(name);
  entries_[key].reset();
  changed_.insert(key);
}

void MetaTable::flush() {
  Column names(kBytes), values(kBytes), dropped(kBytes);
  for (const std::string& name : std::exchange(changed_, {})) {
    const auto& value = entries_[name];
    if (value) names.add(ByteView(name)), values.add(ByteView(*value));
    if (!value) dropped.add(ByteView(name));
  }
  if (names.size() > 0) session_.send(kPutNotes, Values().add(names).add(values));
  if (dropped.size() > 0) session_.send(kDropNotes, Values().add(dropped));
}

}  // namespace tillsync::postgres
