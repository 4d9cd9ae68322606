// Strings between guest and host: an offset and a length.
//
// A pointer of the guest is a number: an offset into its linear memory. The host reads and writes there through
// `tenon::Memory`, which checks that offset and length lie inside: the numbers come from the guest.

#include "example_util.hh"

static void run() {
  tenon::Store store;
  tenon::Module module(store, read_file("memory-pointers.wasm"));
  tenon::Instance instance(store, module);
  tenon::Memory memory = instance.memory("mem");
  std::cout << "Memory size: " << memory.pages() << " pages, " << memory.size() << " bytes\n";

  // `load` has two results: in C++ a tuple.
  auto load = instance.func<std::tuple<uint32_t, uint32_t>()>("load");
  auto [offset, length] = load();
  std::cout << "String offset: " << offset << "\n";
  std::cout << "String length: " << length << "\n";
  std::cout << "Memory contents: \"" << memory.read_string(offset, length) << "\"\n";

  // The memory is the host's to write as well.
  const std::string replacement = "Hello, Wasmer!";
  memory.write_string(offset, replacement);
  std::cout << "New string length: " << replacement.size() << "\n";
  std::cout << "New memory contents: \"" << memory.read_string(offset, replacement.size()) << "\"\n";
}

int main() { return run_example(run); }
