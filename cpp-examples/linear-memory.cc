// Linear memory in three parts: text, numbers, growth.
//
// 1. A data segment puts a text into the guest's memory. The host reads it as bytes and as UTF-8.
// 2. The host creates a memory and gives it to a second module as the import "js" "mem". It writes
//    numbers into it; the guest adds them up.
// 3. The guest grows that memory. A pointer that the host took before the growth must not be used any more; a
//    `tenon::Span` asks for the address anew at each access, and stays usable.

#include <algorithm>
#include <iomanip>

#include "example_util.hh"

// Part 1: a text that the module brings along.
static void show_text(const tenon::Store &store) {
  tenon::Instance instance(store, tenon::Module(store, read_file("linear-memory.wasm")));
  auto [offset, length] = instance.func<std::tuple<uint32_t, uint32_t>()>("text")();
  tenon::Memory memory = instance.memory("memory");

  std::cout << "Bytes:" << std::hex << std::setfill('0');
  for (uint8_t byte : memory.span<uint8_t>(offset, length).to_vector()) {
    std::cout << " " << std::setw(2) << unsigned(byte);
  }
  std::cout << std::dec << "\n";

  // Characters of a UTF-8 text: each byte counts that does not continue a character.
  std::string text = memory.read_string(offset, length);
  auto characters = std::count_if(text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xC0) != 0x80; });
  std::cout << length << " bytes, " << characters << " characters: " << text << "\n";
}

// Parts 2 and 3: a memory that the host creates.
static void share_numbers(const tenon::Store &store) {
  // One page now, ten at most. The module has a single import: "js" "mem".
  tenon::Memory memory(store, 1, 10);
  tenon::Linker linker(store);
  linker.define("js", "mem", memory.get());
  tenon::Instance instance = linker.instantiate(tenon::Module(store, read_file("linear-memory-sum.wasm")));
  auto sum = instance.func<uint32_t(uint32_t)>("sum");
  auto grow = instance.func<int32_t(uint32_t)>("grow");

  auto numbers = memory.span<uint32_t>(0, 2);
  numbers.set(0, 7);
  numbers.set(1, 4);
  std::cout << numbers[0] << " + " << numbers[1] << " = " << sum(2) << "\n";

  // The memory may move when it grows, whoever causes that. The span does not mind.
  int32_t before = grow(2);
  std::cout << "Grown from " << before << " to " << memory.pages() << " pages\n";
  std::cout << "After growth: " << numbers[0] << " and " << numbers[1] << "\n";

  // The first number of the new pages: zero until somebody writes it.
  size_t first_new = static_cast<size_t>(before) * tenon::Memory::page_size;
  std::cout << "New number at 0x" << std::hex << first_new << std::dec << ": " << memory.read<uint32_t>(first_new);
  memory.write<uint32_t>(first_new, 5);
  std::cout << ", then " << memory.read<uint32_t>(first_new) << "\n";

  // Beyond the maximum there is no growth: the guest gets -1, the host an error, and nothing changes.
  int32_t guest = grow(8);
  auto host = tenon::attempt([&] { return memory.grow(8); });
  std::cout << "Growing beyond the maximum: guest " << guest << ", host " << (host ? "true" : "false") << ", still "
            << memory.pages() << " pages\n";
}

int main() {
  return run_example([] {
    tenon::Store store;
    show_text(store);
    share_numbers(store);
  });
}
