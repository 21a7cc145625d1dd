#include "sim/rules/rules.hpp"

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

void Rules::watch_over(Fleet& fleet, Duration rows_every) {
  rules_.clear();
  evidence_.emplace(fleet, rows_every);
  reader_.emplace(*evidence_);
  for (const RuleKind* kind : all_rules()) rules_.push_back(kind->make(*evidence_, violations_));
}

void Rules::cloud_went_back(const std::set<std::string>& lost) {
  evidence_->cloud_went_back(lost);
  reader_->begin_anew();
  on_cloud_job();
}

bool Rules::after_event() {
  evidence_->after_event();
  for (const auto& rule : rules_) rule->at_any_time();
  return broken().empty();
}

void Rules::when_settled() {
  for (const auto& rule : rules_) rule->after_quiet();
}

void Rules::not_drained(Duration in_so_long) {
  for (const auto& rule : rules_) rule->on_not_drained(in_so_long);
}

void Rules::on_flushed(const SimTill& till, const std::vector<Bytes>& ops) {
  if (evidence_) evidence_->on_flushed(ops);
  for (const auto& rule : rules_) rule->on_flushed(till, ops);
}

void Rules::on_receipt(const SimTill& till, const HandedOut& receipt) {
  for (const auto& rule : rules_) rule->on_receipt(till, receipt);
}

void Rules::on_level(const SimTill& till, const std::string& key, Level level) {
  for (const auto& rule : rules_) rule->on_level(till, key, level);
}

void Rules::on_unreadable(const SimTill& till, ByteView message) {
  for (const auto& rule : rules_) rule->on_unreadable(till, message);
}

void Rules::on_word_of_cloud(const SimTill& till) {
  if (evidence_) evidence_->on_word_of_cloud(till);
  for (const auto& rule : rules_) rule->on_word_of_cloud(till);
}

void Rules::on_cloud_job() {
  if (reader_) reader_->read_new_ops(rules_);
  for (const auto& rule : rules_) rule->on_cloud_job();
}

void Rules::on_cloud_row(const CloudRow& row) {
  for (const auto& rule : rules_) rule->on_cloud_row(row);
}

void Rules::on_commanded(const Ballot& lease) {
  for (const auto& rule : rules_) rule->on_commanded(lease);
}

}  // namespace tillsync::sim
