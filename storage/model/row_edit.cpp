#include "storage/model/row_edit.hpp"

#include "storage/base/pack.hpp"

namespace tillsync {

std::optional<RowFields> split_fields(ByteView map) {
  Reader reader(map);
  RowFields fields;
  std::size_t n = 0;
  if (!reader.map(n)) return std::nullopt;
  for (std::size_t i = 0; i < n; ++i) {
    std::string_view name;
    ByteView value;
    if (!reader.text(name) || !reader.raw(value)) return std::nullopt;
    fields.insert_or_assign(std::string(name), Bytes(value));
  }
  return reader.at_end() ? std::optional(std::move(fields)) : std::nullopt;
}

Bytes join_fields(const RowFields& fields) {
  Bytes out;
  Packer packer(out);
  packer.map(fields.size());
  for (const auto& [name, value] : fields) {
    packer.text(name);
    out += value;
  }
  return out;
}

std::optional<std::int64_t> number_in(ByteView value) {
  Reader reader(value);
  std::int64_t n = 0;
  return reader.sint(n) && reader.at_end() ? std::optional(n) : std::nullopt;
}

std::string value_words(ByteView value) {
  if (value.empty() || value == "\xc0") return "none";
  if (const auto n = number_in(value)) return std::to_string(*n);
  Reader text(value), flag(value);
  std::string_view view;
  if (text.text(view)) return std::string(view);
  bool yes = false;
  if (flag.boolean(yes)) return yes ? "yes" : "no";
  return "a value of " + std::to_string(value.size()) + " bytes";
}

}  // namespace tillsync
