// Passing text to the guest, having it changed there, and reading it back.
//
// The guest decides where texts are exchanged and tells through
// `get_wasm_memory_buffer_pointer`. The host writes a text there, calls `add_wasm_is_cool` with its
// length, and reads as many bytes as the call says the text has now.

#include "example_util.hh"

static void run() {
  tenon::Store store;
  tenon::Module module(store, read_file("passing-data.wasm"));
  tenon::Instance instance(store, module);
  tenon::Memory memory = instance.memory("memory");
  auto get_pointer = instance.func<uint32_t()>("get_wasm_memory_buffer_pointer");
  auto add_wasm_is_cool = instance.func<uint32_t(uint32_t)>("add_wasm_is_cool");

  // The text goes in...
  const std::string text = "Did you know";
  memory.write_string(get_pointer(), text);

  // ...is changed by the guest...
  uint32_t new_length = add_wasm_is_cool(static_cast<uint32_t>(text.size()));

  // ...and comes out. The guest is asked again for the place: the call may have moved it.
  std::cout << memory.read_string(get_pointer(), new_length) << "\n";
}

int main() { return run_example(run); }
