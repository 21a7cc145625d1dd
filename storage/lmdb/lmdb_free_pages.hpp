// LMDB's own list of pages that are free.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <functional>
#include <string>

namespace tillsync::lmdb {

// Each of them, by its number. Nothing is called when the list can't be read.
void each_free_page(MDB_env* env, const std::function<void(std::uint64_t page)>& visit);

// Pages that were freed before they were ever written are counted, and the file may end before them. True when a file
// that is shorter than LMDB says lacks nothing but those; it is as long as that then. Call it inside a transaction that
// writes: it sets the file's length.
bool lacks_only_free_pages(MDB_env* env, const std::string& file, std::uint64_t size, std::uint64_t said);

}  // namespace tillsync::lmdb
