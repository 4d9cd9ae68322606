// tenon/deftypes.hh: types of functions, structures and arrays, as modules declare them: alone, or in recursion groups.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
//   // A list: a number, and a reference to the next node, which is of the same type.
//   tenon::DefType node(tenon::SubType::structure(
//       {{tenon::ValType::i32(), true}, {tenon::ValType::in_group(0, TENON_DEF_STRUCT)}}));

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_DEFTYPES_HH)
#define TENON_DEFTYPES_HH

namespace tenon {

/// How a field keeps its value: whole, or the lowest bits of an `i32`.
enum class Packing : uint8_t { none = TENON_UNPACKED, i8 = TENON_I8, i16 = TENON_I16 };

/// A field of a structure, or the elements of an array.
struct Field {
  /// The type of its value: `i32` if it is packed.
  ValType type;
  /// Whether it may be set after creation.
  bool is_mutable = false;
  /// How it is kept.
  Packing packing = Packing::none;
};

struct SubType;

/// A defined type: of functions, structures or arrays, to which references can point. Equal types are the same wherever they are
/// declared, also in modules. Any thread may use it.
class DefType {
public:
  /// A type that is declared alone. Throws if the declaration is not complete, or not allowed below its supertype.
  explicit DefType(const SubType &declaration);

  /// A type of functions, of structures or of arrays, declared alone and final.
  static DefType func(const std::vector<ValType> &params, const std::vector<ValType> &results);
  static DefType structure(const std::vector<Field> &fields);
  static DefType array(const Field &element);

  /// Types that are declared together, as one recursion group: they may mention each other (`ValType::in_group`). Throws if a
  /// declaration is not complete, or not allowed below its supertype.
  static std::vector<DefType> declare(const std::vector<SubType> &group);

  /// The type that references of a type point to. Throws if that is not a defined type.
  DefType(const ValType &type) : DefType(tenon_valtype_deftype(type.get())) {
    if (!type_) throw Error(TENON_ERROR_ARGUMENT, "the type is not one of references to a defined type");
  }

  /// What it defines: one of `TENON_DEF_...`.
  tenon_defkind_t kind() const noexcept { return tenon_deftype_kind(get()); }

  /// Whether nothing may be declared below it.
  bool is_final() const noexcept { return tenon_deftype_is_final(get()); }

  /// The type that it is declared below, if there is one.
  std::optional<DefType> supertype() const {
    tenon_deftype_t *found = tenon_deftype_supertype(get());
    return found != nullptr ? std::optional<DefType>(DefType(found)) : std::nullopt;
  }

  /// The types of the parameters and of the results of functions. Throws if it defines something else.
  std::vector<ValType> params() const { return detail::types_in(wasm_functype_params(functype().get())); }
  std::vector<ValType> results() const { return detail::types_in(wasm_functype_results(functype().get())); }

  /// The fields of structures; of arrays, one for the elements; of functions, none.
  std::vector<Field> fields() const {
    std::vector<Field> fields;
    for (size_t i = 0; i < tenon_deftype_field_count(get()); ++i) {
      tenon_field_t field;
      if (!tenon_deftype_field(get(), i, &field)) detail::fail("a field could not be told");
      std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> type(field.type, wasm_valtype_delete);
      const wasm_valtype_t *lent = type.get();
      fields.push_back({ValType(lent), field.is_mutable, static_cast<Packing>(field.packing)});
    }
    return fields;
  }

  /// Whether both are the same type.
  bool operator==(const DefType &other) const noexcept { return tenon_deftype_same(get(), other.get()); }
  bool operator!=(const DefType &other) const noexcept { return !(*this == other); }

  /// Whether what has this type has the other too: it is the same, or declared below it.
  bool matches(const DefType &other) const noexcept { return tenon_deftype_matches(get(), other.get()); }

  /// The object below.
  const tenon_deftype_t *get() const noexcept { return type_.get(); }

private:
  std::shared_ptr<const tenon_deftype_t> type_;

  explicit DefType(tenon_deftype_t *owned) : type_(owned, [](const tenon_deftype_t *type) {
    tenon_deftype_delete(const_cast<tenon_deftype_t *>(type));
  }) {
    if (owned == nullptr) type_ = nullptr;
  }

  detail::OwnFuncType functype() const {
    detail::OwnFuncType found(tenon_deftype_functype(get()), wasm_functype_delete);
    if (!found) throw Error(TENON_ERROR_ARGUMENT, "the type is not one of functions");
    return found;
  }
};

/// A type that is to be declared.
struct SubType {
  /// What it defines: one of `TENON_DEF_...`.
  tenon_defkind_t kind;
  /// Of structures, the fields; of arrays, one for the elements.
  std::vector<Field> fields;
  /// Of functions, the types of the parameters and of the results.
  std::vector<ValType> params, results;
  /// Whether nothing may be declared below it.
  bool is_final = true;
  /// The type that it is declared below: one that exists already, or the one at a place of its own group, before this one.
  std::optional<DefType> supertype = std::nullopt;
  std::optional<uint32_t> supertype_place = std::nullopt;

  /// Functions, structures and arrays that are final and below nothing.
  static SubType func(std::vector<ValType> params, std::vector<ValType> results) {
    return {TENON_DEF_FUNC, {}, std::move(params), std::move(results)};
  }
  static SubType structure(std::vector<Field> fields) { return {TENON_DEF_STRUCT, std::move(fields), {}, {}}; }
  static SubType array(Field element) { return {TENON_DEF_ARRAY, {std::move(element)}, {}, {}}; }

  /// Lets types be declared below it.
  SubType &open() {
    is_final = false;
    return *this;
  }

  /// Declares it below a type that exists already, or below the one at a place of its own group.
  SubType &below(DefType type) {
    supertype = std::move(type);
    return *this;
  }
  SubType &below(uint32_t place) {
    supertype_place = place;
    return *this;
  }
};

inline std::vector<DefType> DefType::declare(const std::vector<SubType> &group) {
  using List = std::unique_ptr<wasm_valtype_vec_t, void (*)(wasm_valtype_vec_t *)>;
  std::vector<std::vector<tenon_field_t>> fields;
  std::vector<List> lists;
  auto list = [&lists](const std::vector<ValType> &types) {
    lists.emplace_back(new wasm_valtype_vec_t(detail::vec_of(types)), [](wasm_valtype_vec_t *vec) {
      wasm_valtype_vec_delete(vec);
      delete vec;
    });
    return lists.back().get();
  };
  std::vector<tenon_subtype_t> types;
  for (const SubType &each : group) {
    std::vector<tenon_field_t> &own = fields.emplace_back();
    for (const Field &field : each.fields) {
      own.push_back({const_cast<wasm_valtype_t *>(field.type.get()), static_cast<uint8_t>(field.packing), field.is_mutable});
    }
    types.push_back({each.kind, each.is_final, each.supertype ? each.supertype->get() : nullptr, nullptr, own.data(), own.size(),
                     each.supertype_place.has_value(), each.supertype_place.value_or(0), list(each.params), list(each.results)});
  }
  std::vector<tenon_deftype_t *> made(group.size());
  detail::check(tenon_deftype_new_group(types.data(), types.size(), made.data()));
  std::vector<DefType> declared;
  for (tenon_deftype_t *each : made) declared.push_back(DefType(each));
  return declared;
}

inline DefType::DefType(const SubType &declaration) : DefType(declare({declaration})[0]) {}
inline DefType DefType::func(const std::vector<ValType> &params, const std::vector<ValType> &results) {
  detail::OwnFuncType type = detail::functype_of(params, results);
  tenon_deftype_t *made = tenon_deftype_of_functype(type.get());
  if (made == nullptr) detail::fail("no type of functions could be made");
  return DefType(made);
}
inline DefType DefType::structure(const std::vector<Field> &fields) { return DefType(SubType::structure(fields)); }
inline DefType DefType::array(const Field &element) { return DefType(SubType::array(element)); }

inline ValType ValType::ref(const DefType &type, bool nullable) {
  return ValType(tenon_valtype_new_ref_to(nullable, type.get()));
}

}  // namespace tenon

#endif  // TENON_DEFTYPES_HH
