// Two threads, each with a store and an instance of its own, and one shared memory between them.
//
// A shared memory belongs to no store: the host makes it, and each store obtains it. The guests pass messages through it
// with atomic instructions, and wait for each other without burning time.

#include <future>

#include "example_util.hh"

static constexpr int32_t messages = 1000;

static void run() {
  tenon::Engine engine;
  const std::string binary = read_file("shared-memory.wasm");
  // One page, and never more.
  tenon::SharedMemory memory(engine, tenon::MemoryType{1, 1, false, true});

  auto instantiate = [&] {
    tenon::Store store(engine);
    return tenon::Instance(store, tenon::Module(store, binary), {memory.obtain(store).get()});
  };
  auto sender = std::async(std::launch::async, [&] { instantiate().func<void(int32_t)>("send")(messages); });
  auto receiver = std::async(std::launch::async, [&] { return instantiate().func<int32_t(int32_t)>("receive")(messages); });
  sender.get();
  int32_t sum = receiver.get();
  std::cout << memory.atomic<uint32_t>(0) << " sent, " << memory.atomic<uint32_t>(4) << " received, their sum is " << sum << "\n";
}

int main() { return run_example(run); }
