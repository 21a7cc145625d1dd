// The project's own sources as text, for the tests that hold its style.
#pragma once

#include <string>
#include <vector>

namespace tillsync::test {

struct SourceFile {
  std::string path;  // from the project's root
  std::vector<std::string> lines;
  std::string text() const;
  std::string code() const;  // comments and the insides of literals are blank; as many lines as before
};

const std::vector<SourceFile>& source_files();  // of every room, tests included; sorted by path

// What each file includes of the project, directly, by path from the root.
std::vector<std::string> includes_of(const SourceFile& file);

struct ClassMeasure {
  std::string name, file;
  int public_functions = 0;  // without constructors, destructor and operators
  int members = 0;
};
std::vector<ClassMeasure> classes_of(const SourceFile& file);

struct FunctionMeasure {
  std::string name, file;
  int lines = 0;
};
std::vector<FunctionMeasure> functions_of(const SourceFile& file);

// "Class" of each out-of-class definition "Class::function(...) {" in the file.
std::vector<std::string> classes_defined_in(const SourceFile& file);

}  // namespace tillsync::test
