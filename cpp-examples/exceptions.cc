// Exceptions across the boundary, in both directions.
//
// A function of the host throws a `tenon::WasmException` in the WebAssembly code that called it, which can catch it. What no such
// code catches comes out of the call as an exception of C++, and the host asks for its tag and its values.

#include "example_util.hh"

static void run() {
  constexpr int32_t balance = 100, too_much = 7;
  tenon::Store store;
  tenon::Module module(store, read_file("exceptions.wasm"));

  // A tag of the host: exceptions of it carry an i32.
  tenon::Tag refused(store, {tenon::ValType::i32()});
  auto withdraw = tenon::make_func(store, [&](int32_t amount) {
    if (amount <= balance) return balance - amount;
    std::cout << "  the host throws\n";
    throw tenon::WasmException(refused, {too_much});
  });
  tenon::Instance instance(store, module, {refused.get_extern(), withdraw.get()});
  auto try_to_withdraw = instance.func<int32_t(int32_t)>("try_to_withdraw");
  int32_t result = try_to_withdraw(30);
  std::cout << "nothing is thrown: " << result << "\n";
  result = try_to_withdraw(300);
  std::cout << "the guest caught it: " << result << "\n";

  try {
    instance.func<int32_t(int32_t)>("withdraw")(300);
  } catch (const tenon::WasmException &exception) {
    if (exception.tag() != refused) throw;
    std::cout << "it came through the guest: " << exception.values()[0].get<int32_t>() << "\n";
  }

  // As a result, without an exception of C++.
  auto deposited = instance.func<void(int32_t)>("deposit").try_call(-5);
  auto exception = dynamic_cast<const tenon::WasmException *>(deposited.trap());
  if (exception == nullptr || exception->tag() != instance.tag("negative")) throw std::runtime_error("nothing was thrown");
  std::vector<tenon::Value> values = exception->values();
  std::cout << "the host caught the guest's: " << values[0].get<int32_t>() << ", " << values[1].get<double>() << "\n";
}

int main() { return run_example(run); }
