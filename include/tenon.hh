// tenon.hh: Tenon for C++ as a program of today would have it: values that clean up after themselves, functions with
// types, memory that is checked, failures as exceptions or as results.
//
// All header, over wasm.hh and tenon.h, with which it can be mixed: `get()` of every class gives the object below. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
// A first program:
//
//   tenon::Store store;
//   auto module = tenon::Module::from_text(store, R"((module
//     (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))))");
//   tenon::Instance instance(store, module);
//   auto add = instance.func<int32_t(int32_t, int32_t)>("add");
//   int32_t five = add(2, 3);
//
// Ownership. Every object owns what it stands for, can be moved, and is copied as another reference to the
// same thing. Objects may die in any order.
//
// Failure. What fails throws `Error`, or `TrapError` if WebAssembly code trapped. `attempt` makes a `Result` of that, and
// `TypedFunc::try_call` gives one without throwing. What a function of the host throws comes out at its caller.
// An object that was moved from must only be assigned or destroyed.
//
// Parts. This header brings all of them; they cannot be had without each other.
//
//   errors         failures, results             config, creators   the settings of an engine
//   engine         engines, stores, modules      functions          functions whose type is known at compile time
//   memory         memories, spans, views        shared_memory      memories of several threads
//   instance       instances, linkers            objects            tables, globals
//   values         types, references, values     exceptions         tags, exceptions of WebAssembly
//   deftypes       declared types                heap               structures, arrays
//
// Threads. As in wasm.h: a store and what lives in it belong to one thread at a time.

#ifndef TENON_HH
#define TENON_HH

#include "tenon.h"
#include "wasm.hh"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

// Each uses those before it.
#include "tenon/errors.hh"
#include "tenon/creators.hh"
#include "tenon/config.hh"
#include "tenon/engine.hh"
#include "tenon/functions.hh"
#include "tenon/memory.hh"
#include "tenon/instance.hh"
#include "tenon/values.hh"
#include "tenon/exceptions.hh"
#include "tenon/deftypes.hh"
#include "tenon/heap.hh"
#include "tenon/objects.hh"
#include "tenon/shared_memory.hh"

#endif  // TENON_HH
