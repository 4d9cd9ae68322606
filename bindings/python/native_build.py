"""The extension module `tenon._native`: the functions of wasm.h and tenon.h that the package uses.

The declarations are read from the headers, so that they cannot differ from them: every type, and each function that stands
as `lib.NAME` in a source file of the package.
"""

import re
from pathlib import Path

import cffi

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"


def used() -> set:
    """The names that the package takes from the library."""
    names = set()
    for file in (HERE / "tenon").glob("*.py"):
        names.update(re.findall(r"\blib\.(\w+)", file.read_text(encoding="utf-8")))
    return names


def declarations(header: str, functions: set) -> str:
    """What a header declares, in the C that cffi reads: all types, and these functions."""
    text = (INCLUDE / header).read_text(encoding="utf-8")
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)
    text = re.sub(r"^static inline.*?^}$", "", text, flags=re.M | re.S)
    text = re.sub(r'extern "C" \{|^}$|^static const[^;]*;', "", text, flags=re.M)
    text = re.sub(r"\b(?:WASM_API_EXTERN|own)\b", "", text)
    kept, statement, depth = [], "", 0
    for character in text:
        statement += character
        depth += (character == "{") - (character == "}")
        if character == ";" and depth == 0:
            name = re.search(r"(\w+)\s*\(", statement)
            if statement.lstrip().startswith("typedef") or (name and name[1] in functions):
                kept.append(statement)
            statement = ""
    return "".join(kept)


builder = cffi.FFI()
_functions = used()
builder.cdef(declarations("wasm.h", _functions) + declarations("tenon.h", _functions))
builder.cdef("""
extern "Python" wasm_trap_t *tenon_py_call(
    void *env, const wasm_func_t *caller, const tenon_val_t *args, size_t arg_count,
    tenon_val_t *results, size_t result_count);
extern "Python" wasm_trap_t *tenon_py_call_raw(void *env, const wasm_func_t *caller, tenon_raw_t *values);
extern "Python" void tenon_py_release(void *env);
extern "Python" bool tenon_py_growth_before(void *env, const tenon_growth_t *growth, wasm_trap_t **trap);
extern "Python" void tenon_py_growth_after(void *env, const tenon_growth_t *growth);
extern "Python" bool tenon_py_allocate(void *env, const tenon_memory_request_t *request, tenon_host_memory_t *out);
extern "Python" bool tenon_py_grow(void *env, tenon_host_memory_t *memory, uint64_t old_size, uint64_t size);
extern "Python" void tenon_py_free(void *env, tenon_host_memory_t *memory, uint64_t size);
tenon_error_t *tenon_py_array_read(const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, char *out);
tenon_error_t *tenon_py_array_write(
    const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, uint8_t kind, const char *from);
""")
builder.set_source(
    "tenon._native",
    (HERE / "native.c").read_text(encoding="utf-8"),
    include_dirs=[str(INCLUDE)],
    libraries=["tenon"],
    extra_link_args=["-Wl,-rpath,$ORIGIN"],
)
