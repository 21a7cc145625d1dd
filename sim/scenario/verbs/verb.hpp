// A verb of the scenario language. It owns all that there is to it: its name, how a line with it reads and what is
// wrong with one that does not, how it is written, what it does, and how that is undone. verb_table.hpp has them all.
#pragma once

#include <memory>
#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "sim/scenario/verbs/stage.hpp"
#include "sim/scenario/verbs/step.hpp"

namespace tillsync::sim {

// What came of a step.
struct Played {
  Played(bool done) : possible(done) {}  // NOLINT: a verb that expects nothing says yes or no
  bool possible;
  std::vector<std::string> instead = {};  // what was seen in place of what was expected
};

class Verb {
 public:
  // How a line goes on after the name: words in capitals are slots (UNITS, NUMBER, WORD, NAME, KEY, WHO, WHOM), the
  // rest stands for itself.
  struct Form {
    std::string slots;
    std::string meaning;
  };
  enum class Lasts : bool { no, yes };  // may end in "for TIME", and is then undone

  virtual ~Verb() = default;

  const std::string& name() const { return name_; }  // one word, or two
  const std::vector<Form>& forms() const { return forms_; }
  std::string pattern(const Form& form) const;  // the whole line without its time, for people

  Result<Step> read(const std::vector<std::string>& words) const;  // without the time
  std::string write(const Step& step) const;
  virtual std::string introduces(const Step&) const { return ""; }  // a machine that is there from then on
  virtual bool is_noted() const { return true; }                    // in the log of what was done

  // WHO and WHOM are names of machines by now.
  virtual Played play(Stage& stage, const Step& step) const = 0;
  virtual void undo(Stage&, const Step&) const {}

 protected:
  Verb(std::string name, std::vector<Form> forms, Lasts lasts = Lasts::no)
      : name_(std::move(name)), forms_(std::move(forms)), lasts_(lasts) {}
  // What is wrong with words that not everything can stand for; empty: nothing.
  virtual std::string objection(const Step&) const { return ""; }

 private:
  struct Reading;
  Reading read(const Form& form, const std::vector<std::string>& words) const;

  std::string name_;
  std::vector<Form> forms_;
  Lasts lasts_;
};

// Done to each of WHO, one after the other; possible if it is with one of them.
class VerbAtEach : public Verb {
 public:
  Played play(Stage& stage, const Step& step) const final;
  void undo(Stage& stage, const Step& step) const override;

 protected:
  using Verb::Verb;
  virtual bool at(Stage&, const Step&, SimTill&) const = 0;  // false: not possible just now
  virtual bool at_cloud(Stage&, const Step&) const { return false; }
  virtual void undo_at(Stage&, SimTill&) const {}
  virtual void undo_at_cloud(Stage&) const {}
};

// One that is a single act.
class SimpleVerb final : public VerbAtEach {
 public:
  using Act = bool (*)(Stage&, const Step&, SimTill&);
  using Back = void (*)(Stage&, SimTill&);
  SimpleVerb(std::string name, std::string slots, std::string meaning, Act act)
      : VerbAtEach(std::move(name), {{std::move(slots), std::move(meaning)}}), act_(act) {}
  SimpleVerb(std::string name, std::string slots, std::string meaning, Act act, Back back)
      : VerbAtEach(std::move(name), {{std::move(slots), std::move(meaning)}}, Lasts::yes), act_(act), back_(back) {}

 private:
  bool at(Stage& stage, const Step& step, SimTill& till) const override { return act_(stage, step, till); }
  void undo_at(Stage& stage, SimTill& till) const override { back_(stage, till); }

  Act act_;
  Back back_ = [](Stage&, SimTill&) {};
};

}  // namespace tillsync::sim
