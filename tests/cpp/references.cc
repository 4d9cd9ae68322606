// References: identity, host information, and objects seen as what they are in general and in particular.

#include "test_util.hh"

using namespace test;
using wasm::ExternKind;

static const char everything[] =
    "(module"
    "  (func (export \"f\") (result i32) (i32.const 6))"
    "  (global (export \"g\") (mut i64) (i64.const 7))"
    "  (table (export \"t\") 2 5 funcref)"
    "  (memory (export \"m\") 1 3))";

static void test_host_info(wasm::Ref *ref) {
  int first = 0, second = 0;
  CHECK(ref->get_host_info() == nullptr);
  ref->set_host_info(&first, count);
  own<wasm::Ref> copy = ref->copy();
  CHECK(copy->get_host_info() == &first && copy->same(ref) && ref->same(copy.get()));
  copy->set_host_info(&second, count);
  CHECK(first == 1 && second == 0 && ref->get_host_info() == &second);
  ref->set_host_info(nullptr);
  CHECK(first == 1 && second == 1 && copy->get_host_info() == nullptr);
}

int main() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  own<wasm::Module> module = module_of(store.get(), everything);
  own<wasm::Trap> trap;
  own<wasm::Instance> instance =
      wasm::Instance::make(store.get(), module.get(), vec<wasm::Extern *>::make(), &trap);
  REQUIRE(instance && !trap);
  ownvec<wasm::Extern> exports = instance->exports();
  REQUIRE(exports.size() == 4);
  own<wasm::Foreign> foreign = wasm::Foreign::make(store.get());
  trap = wasm::Trap::make(store.get(), wasm::Message::make_nt(std::string("message")));
  CHECK(message_of(trap) == "message" && !trap->origin() && trap->trace().size() == 0);
  CHECK(message_of(trap->copy()) == "message");
  CHECK(message_of(wasm::Trap::make(store.get(), wasm::Message::make())).empty());

  wasm::Ref *refs[] = {exports[0].get(), exports[1].get(), exports[2].get(), exports[3].get(),
                       instance.get(), module.get(), foreign.get(), trap.get()};
  for (wasm::Ref *ref : refs) {
    for (wasm::Ref *other : refs) CHECK(ref->same(other) == (ref == other));
    CHECK(!ref->same(nullptr));
    test_host_info(ref);
  }
  CHECK(foreign->copy()->same(foreign.get()) && module->copy()->same(module.get()));
  CHECK(instance->copy()->same(instance.get()));

  // In C a reference in general has the address of what it is in particular: the classes rely on that.
  wasm_extern_t *c_extern = reinterpret_cast<wasm_extern_t *>(exports[3].get());
  wasm_memory_t *c_memory = wasm_extern_as_memory(c_extern);
  CHECK(static_cast<void *>(c_memory) == c_extern && static_cast<void *>(wasm_memory_as_ref(c_memory)) == c_extern);

  const ExternKind kinds[] = {ExternKind::FUNC, ExternKind::GLOBAL, ExternKind::TABLE, ExternKind::MEMORY};
  for (size_t i = 0; i < 4; ++i) {
    wasm::Extern *seen = exports[i].get();
    const wasm::Extern *constant = seen;
    CHECK(seen->kind() == kinds[i] && seen->type()->kind() == kinds[i]);
    CHECK((seen->func() != nullptr) == (i == 0) && (constant->func() != nullptr) == (i == 0));
    CHECK((seen->global() != nullptr) == (i == 1) && (constant->global() != nullptr) == (i == 1));
    CHECK((seen->table() != nullptr) == (i == 2) && (constant->table() != nullptr) == (i == 2));
    CHECK((seen->memory() != nullptr) == (i == 3) && (constant->memory() != nullptr) == (i == 3));
    CHECK(seen->copy()->same(seen));
  }

  // Owned in particular, deleted in general; the last reference keeps everything that it needs.
  own<wasm::Func> func = exports[0]->func()->copy();
  own<wasm::Extern> general = func->copy();
  own<wasm::Ref> most_general = std::move(func);
  exports.reset();
  instance.reset();
  module.reset();
  most_general.reset();
  CHECK(call1(general->func()).i32() == 6);
  int finalized = 0;
  foreign->set_host_info(&finalized, count);
  foreign.reset();
  trap.reset();
  general.reset();
  store.reset();
  CHECK(finalized == 1);
  return done();
}
