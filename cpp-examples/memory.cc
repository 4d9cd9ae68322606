// A linear memory, seen from the host and from the guest.
//
// The module exports its memory and three functions. The host asks for the size of the memory in
// every way that there is, grows it, and then has the guest store two values and read them back: one
// at an ordinary address, one at the very end of the second page, which exists only after the growth.

#include "example_util.hh"

static void run() {
  // A store holds the objects of one guest program: instances, memories, functions. One thread uses a store at a
  // time. It has an engine of its own here; several stores can share one.
  tenon::Store store;

  std::cout << "Compiling module...\n";
  tenon::Module module(store, read_file("memory.wasm"));

  // The module imports nothing, so that there are no imports to give.
  std::cout << "Instantiating module...\n";
  tenon::Instance instance(store, module);

  // Functions get their C++ types here, once; calls need no checks any more.
  auto mem_size = instance.func<uint32_t()>("mem_size");
  auto get_at = instance.func<int32_t(uint32_t)>("get_at");
  auto set_at = instance.func<void(uint32_t, int32_t)>("set_at");
  tenon::Memory memory = instance.memory("memory");

  std::cout << "Querying memory size...\n";
  std::cout << "Memory size (pages): " << memory.pages() << "\n";
  std::cout << "Memory size (pages as bytes): " << memory.pages() * tenon::Memory::page_size << "\n";
  std::cout << "Memory size (bytes): " << memory.size() << "\n";
  std::cout << "Memory size (pages): " << mem_size() << "\n";

  std::cout << "Growing memory...\n";
  memory.grow(2);
  std::cout << "New memory size (pages): " << memory.pages() << "\n";

  // Two addresses: one in the first page, one eight bytes before the end of the second.
  const std::pair<uint32_t, int32_t> cells[] = {{0x2220, 0xFEFEFFE}, {0x20000 - 8, 0xFEA09}};
  for (auto [address, value] : cells) {
    set_at(address, value);
    std::cout << "Value at 0x" << std::hex << address << std::dec << ": " << get_at(address) << "\n";
  }
}

int main() { return run_example(run); }
