// Questions and answers as messages 50 and 51 carry them between a person's machine and a till or a cloud.
//
// An argument is FROM (of the conflicts: how many to leave out), and "/2" behind it of askers of this release, who read
// bytes as text (questions.hpp). What the first release sent has no "/2", and a cloud of that release reads past it.
#pragma once

#include <string>
#include <tillsync/result.hpp>

#include "engine/wire/messages.hpp"
#include "transport/base/json_text.hpp"

namespace tillsync::api {

Question in_message(const std::string& name, std::uint64_t from = 0);
Json question_of(const Question& message);

// An error is as everywhere (errors.hpp), and its sentence stands in "error" as well: the first release reads that.
std::string answer_text(const Result<Json>& answer);
Result<Json> heard(const std::string& text);

}  // namespace tillsync::api
