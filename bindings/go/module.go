package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// An ExternKind is the kind of an import or export.
type ExternKind uint8

// The kinds of imports and exports.
const (
	ExternFunc ExternKind = iota
	ExternGlobal
	ExternTable
	ExternMemory
	ExternTag
)

// String is the kind's name in the text format.
func (k ExternKind) String() string {
	return [...]string{"func", "global", "table", "memory", "tag", "unknown"}[min(k, 5)]
}

// An ImportType says what a module imports.
type ImportType struct {
	// Module and Name are the import's two names.
	Module, Name string
	// Kind is what is imported, and Type its type.
	Kind ExternKind
	Type ExternType
}

// An ExportType says what a module exports.
type ExportType struct {
	// Name is the export's name.
	Name string
	// Kind is what is exported, and Type its type.
	Kind ExternKind
	Type ExternType
}

// A Module is a compiled module. It belongs to no store, and any goroutine may use it.
type Module struct {
	engine  *Engine
	ptr     *C.wasm_shared_module_t
	imports []ImportType
	exports []ExportType
}

// Wat2Wasm translates a module from the text format to the binary format.
func Wat2Wasm(text string) ([]byte, error) {
	c := C.CString(text)
	defer C.free(unsafe.Pointer(c))
	var out C.wasm_byte_vec_t
	if err := takeError(C.tenon_wat2wasm(c, C.size_t(len(text)), &out)); err != nil {
		return nil, err
	}
	return []byte(takeBytes(&out)), nil
}

// NewModule compiles a module, in the binary or in the text format.
func NewModule(engine *Engine, code []byte) (*Module, error) {
	if len(code) < 4 || string(code[:4]) != "\x00asm" {
		binary, err := Wat2Wasm(string(code))
		if err != nil {
			return nil, err
		}
		code = binary
	}
	return loadModule(engine, code, func(store *C.wasm_store_t, bytes *C.wasm_byte_vec_t, out **C.wasm_module_t) *C.tenon_error_t {
		return C.tenon_module_new(store, bytes, out)
	})
}

// DeserializeModule loads what Serialize gave. Only for bytes that you trust: they hold machine code.
func DeserializeModule(engine *Engine, data []byte) (*Module, error) {
	return loadModule(engine, data, func(store *C.wasm_store_t, bytes *C.wasm_byte_vec_t, out **C.wasm_module_t) *C.tenon_error_t {
		return C.tenon_module_deserialize(store, bytes, out)
	})
}

func loadModule(engine *Engine, data []byte,
	load func(store *C.wasm_store_t, bytes *C.wasm_byte_vec_t, out **C.wasm_module_t) *C.tenon_error_t) (*Module, error) {
	// Only modules that are shared belong to no store.
	store := C.wasm_store_new(engine.ptr)
	defer runtime.KeepAlive(engine)
	defer C.wasm_store_delete(store)
	bytes := C.wasm_byte_vec_t{size: C.size_t(len(data)), data: (*C.wasm_byte_t)(C.CBytes(data))}
	defer C.free(unsafe.Pointer(bytes.data))
	var module *C.wasm_module_t
	if err := takeError(load(store, &bytes, &module)); err != nil {
		return nil, err
	}
	defer C.wasm_module_delete(module)
	return newModule(engine, module), nil
}

// Serialize is the module, compiled, as bytes for DeserializeModule.
func (m *Module) Serialize() ([]byte, error) {
	store := C.wasm_store_new(m.engine.ptr)
	defer runtime.KeepAlive(m)
	defer C.wasm_store_delete(store)
	module := C.wasm_module_obtain(store, m.ptr)
	defer C.wasm_module_delete(module)
	var out C.wasm_byte_vec_t
	if err := takeError(C.tenon_module_serialize(module, &out)); err != nil {
		return nil, err
	}
	defer C.wasm_byte_vec_delete(&out)
	return C.GoBytes(unsafe.Pointer(out.data), C.int(out.size)), nil
}

// newModule makes a module of the C object, which is lent.
func newModule(engine *Engine, module *C.wasm_module_t) *Module {
	m := &Module{engine: engine, ptr: C.wasm_module_share(module)}
	runtime.AddCleanup(m, func(ptr *C.wasm_shared_module_t) { C.wasm_shared_module_delete(ptr) }, m.ptr)
	var imports C.wasm_importtype_vec_t
	C.wasm_module_imports(module, &imports)
	defer C.wasm_importtype_vec_delete(&imports)
	for _, i := range unsafe.Slice(imports.data, int(imports.size)) {
		ty := externType(C.wasm_importtype_type(i))
		m.imports = append(m.imports, ImportType{name(C.wasm_importtype_module(i)), name(C.wasm_importtype_name(i)), ty.externKind(), ty})
	}
	var exports C.wasm_exporttype_vec_t
	C.wasm_module_exports(module, &exports)
	defer C.wasm_exporttype_vec_delete(&exports)
	for _, e := range unsafe.Slice(exports.data, int(exports.size)) {
		ty := externType(C.wasm_exporttype_type(e))
		m.exports = append(m.exports, ExportType{name(C.wasm_exporttype_name(e)), ty.externKind(), ty})
	}
	return m
}

// Imports are what the module imports, in the order of the module.
func (m *Module) Imports() []ImportType { return append([]ImportType(nil), m.imports...) }

// Exports are what the module exports, in the order of the module.
func (m *Module) Exports() []ExportType { return append([]ExportType(nil), m.exports...) }

func name(n *C.wasm_name_t) string { return C.GoStringN(n.data, C.int(n.size)) }
