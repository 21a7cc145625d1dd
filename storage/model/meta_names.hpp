// Small things with a name that more than one room writes into a till's database.
#pragma once

namespace tillsync {

inline constexpr char kPromiseMeta[] = "promise";  // whom this till has promised its vote, until when

}  // namespace tillsync
