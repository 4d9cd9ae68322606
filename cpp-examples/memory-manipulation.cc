// Modules as text, and one instance importing from another by name.
//
// The first module is read as text (the .wat file beside this program) and instantiated; its instance is registered under
// the name "extern" with a linker. The second module, whose text stands below, imports memory and functions from
// "extern", and the linker finds them by their names.

#include "example_util.hh"

// Imports from the registered instance and uses what it got.
static const char user_text[] = R"((module
  (import "extern" "memory" (memory 1))
  (import "extern" "mem_size" (func $size (result i32)))
  (import "extern" "get_at" (func $get (param i32) (result i32)))
  (import "extern" "set_at" (func $set (param i32 i32)))
  (func (export "size") (result i32) call $size)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "write") (param i32 i32) (call $set (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (call $get (local.get 0)))))";

static void run() {
  tenon::Store store;
  tenon::Linker linker(store);

  // The first module, from a file of text, registered as "extern".
  auto owner_module = tenon::Module::from_text(store, read_file("memory-manipulation.wat"));
  tenon::Instance owner = linker.instantiate(owner_module);
  linker.define_instance("extern", owner);
  std::cout << "Registered \"extern\" with " << owner.export_count() << " exports\n";

  // The second module, which imports from it.
  tenon::Instance user = linker.instantiate(tenon::Module::from_text(store, user_text));
  auto size = user.func<uint32_t()>("size");
  auto grow = user.func<int32_t(uint32_t)>("grow");
  auto write = user.func<void(uint32_t, int32_t)>("write");
  auto read = user.func<int32_t(uint32_t)>("read");

  // Three views of one memory: the owner's export, the user's functions, the host's.
  tenon::Memory memory = owner.memory("memory");
  std::cout << "Size: " << memory.pages() << " page, " << size() << " for the importing module\n";
  std::cout << "Data size: " << memory.size() << " bytes\n";

  // The importing module grows what it imported; memory.grow returns the size before.
  std::cout << "Grown by 2 from " << grow(2) << "\n";
  std::cout << "Size: " << memory.pages() << " pages, " << size() << " for the importing module\n";

  // Two values: one in the first page, one in the last four bytes of the second.
  const std::pair<uint32_t, int32_t> cells[] = {{0x2220, 0xFEFEFFE}, {0x20000 - 4, 0xFEA09}};
  for (auto [address, value] : cells) write(address, value);
  for (auto [address, value] : cells) {
    std::cout << "Value at 0x" << std::hex << address << std::dec << ": " << read(address) << ", host reads "
              << memory.read<int32_t>(address) << "\n";
  }
}

int main() { return run_example(run); }
