// What every example needs and what would only distract from its subject: reading a file, and printing errors.
#ifndef EXAMPLE_UTIL_HH
#define EXAMPLE_UTIL_HH

#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <tenon.hh>

// Reads a whole file.
inline std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Runs an example: what it throws is printed, and the program fails.
template <class F>
int run_example(F &&example) {
  try {
    example();
    return 0;
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

#endif
