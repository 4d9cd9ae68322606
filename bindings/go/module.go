package tenon

// #include "shim.h"
import "C"

import (
	"strings"
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

// A Module is a compiled module. It belongs to no store, and any goroutine may use it. Its instances outlive its Close.
type Module struct {
	*held[*C.wasm_shared_module_t]
	engine  *Engine
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
	return loadModule(engine, func(store *C.wasm_store_t, out **C.wasm_module_t) *C.tenon_error_t {
		bytes := newBytes(code)
		defer C.free(unsafe.Pointer(bytes.data))
		return C.tenon_module_new(store, &bytes, out)
	})
}

// ValidateModule makes sure that bytes are a valid module in the binary format, for this engine. Nothing is compiled.
func ValidateModule(engine *Engine, binary []byte) error {
	return engine.inStore(func(store *C.wasm_store_t) error {
		bytes := newBytes(binary)
		defer C.free(unsafe.Pointer(bytes.data))
		return takeError(C.tenon_module_validate(store, &bytes))
	})
}

// DeserializeModule loads what Serialize gave. Only for bytes that you trust: they hold machine code.
func DeserializeModule(engine *Engine, data []byte) (*Module, error) {
	return loadModule(engine, func(store *C.wasm_store_t, out **C.wasm_module_t) *C.tenon_error_t {
		bytes := newBytes(data)
		defer C.free(unsafe.Pointer(bytes.data))
		return C.tenon_module_deserialize(store, &bytes, out)
	})
}

// DeserializeModuleFile loads a file of what Serialize gave. The file is mapped: nothing is read before it is needed, and processes
// share its memory. As long as the module lives it must not be written to or made shorter; it may be deleted, or replaced by
// another of the same name. Only for files that you trust: they hold machine code.
func DeserializeModuleFile(engine *Engine, path string) (*Module, error) {
	if strings.ContainsRune(path, 0) {
		return nil, errorf(KindArgument, "the path %q has a NUL", path)
	}
	return loadModule(engine, func(store *C.wasm_store_t, out **C.wasm_module_t) *C.tenon_error_t {
		c := C.CString(path)
		defer C.free(unsafe.Pointer(c))
		return C.tenon_module_deserialize_file(store, c, out)
	})
}

// newBytes copies bytes to C's memory; the caller frees it.
func newBytes(data []byte) C.wasm_byte_vec_t {
	return C.wasm_byte_vec_t{size: C.size_t(len(data)), data: (*C.wasm_byte_t)(C.CBytes(data))}
}

// inStore runs something with a store of its own: only modules that are shared belong to no store.
func (e *Engine) inStore(do func(store *C.wasm_store_t) error) error {
	var store *C.wasm_store_t
	if err := e.use(func(ptr *C.wasm_engine_t) error { store = C.wasm_store_new(ptr); return nil }); err != nil {
		return err
	}
	if store == nil {
		return errorf(KindMemory, "no store could be made")
	}
	defer C.wasm_store_delete(store)
	return do(store)
}

func loadModule(engine *Engine, load func(store *C.wasm_store_t, out **C.wasm_module_t) *C.tenon_error_t) (m *Module, err error) {
	err = engine.inStore(func(store *C.wasm_store_t) error {
		var module *C.wasm_module_t
		if err := takeError(load(store, &module)); err != nil {
			return err
		}
		defer C.wasm_module_delete(module)
		m = newModule(engine, module)
		return nil
	})
	return
}

// obtain makes a module of a store, which the caller deletes.
func (m *Module) obtain(store *C.wasm_store_t) (module *C.wasm_module_t, err error) {
	err = m.use(func(ptr *C.wasm_shared_module_t) error { module = C.wasm_module_obtain(store, ptr); return nil })
	return
}

// Serialize is the module, compiled, as bytes for DeserializeModule. The engine must be open.
func (m *Module) Serialize() (data []byte, err error) {
	err = m.engine.inStore(func(store *C.wasm_store_t) error {
		module, err := m.obtain(store)
		if err != nil {
			return err
		}
		defer C.wasm_module_delete(module)
		var out C.wasm_byte_vec_t
		if err := takeError(C.tenon_module_serialize(module, &out)); err != nil {
			return err
		}
		defer C.wasm_byte_vec_delete(&out)
		data = append(data, unsafe.Slice((*byte)(unsafe.Pointer(out.data)), int(out.size))...)
		return nil
	})
	return
}

// newModule makes a module of the C object, which is lent.
func newModule(engine *Engine, module *C.wasm_module_t) *Module {
	m := &Module{engine: engine}
	m.held = hold(m, C.wasm_module_share(module), func(ptr *C.wasm_shared_module_t) { C.wasm_shared_module_delete(ptr) })
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
