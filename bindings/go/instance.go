package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// An Extern is what can be imported and exported: a *Func, *Memory, *Table, *Global or *Tag.
type Extern interface {
	extern() (*Store, *ref)
}

// An Instance is a module at work in a store.
type Instance struct {
	*ref
	store   *Store
	module  *Module
	exports map[string]Extern
}

// NewInstance makes an instance of a module, with its imports in the order of the module; a Linker finds them by name.
func NewInstance(s *Store, m *Module, imports ...Extern) (*Instance, error) {
	if m.engine != s.engine {
		return nil, errorf(KindStore, "the module was compiled by another engine than the store's")
	}
	if len(imports) < len(m.imports) {
		missing := m.imports[len(imports)]
		return nil, errorf(KindLink, "import %q %q (%v) is missing", missing.Module, missing.Name, missing.Kind)
	}
	if len(imports) > len(m.imports) {
		return nil, errorf(KindArgument, "%d imports given to a module that has %d", len(imports), len(m.imports))
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.giveBack(before)
	externs := make([]unsafe.Pointer, len(imports))
	for i, extern := range imports {
		what := fmt.Sprintf("import %q %q", m.imports[i].Module, m.imports[i].Name)
		if extern == nil {
			return nil, errorf(KindLink, "%s (%v) is missing", what, m.imports[i].Kind)
		}
		store, ref := extern.extern()
		if store != s {
			return nil, errorf(KindStore, "%s is of another store", what)
		}
		if externs[i] = unsafe.Pointer(ref.ptr.Load()); externs[i] == nil {
			return nil, fmt.Errorf("%s: %w", what, ErrClosed)
		}
	}
	vec := C.wasm_extern_vec_t{size: C.size_t(len(externs))}
	vec.data = (**C.wasm_extern_t)(C.calloc(C.size_t(len(externs)+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(vec.data))
	for i, extern := range externs {
		unsafe.Slice(vec.data, len(externs))[i] = (*C.wasm_extern_t)(extern)
	}
	module, err := m.obtain(s.ptr)
	if err != nil {
		return nil, err
	}
	defer C.wasm_module_delete(module)
	var instance *C.wasm_instance_t
	var trap *C.wasm_trap_t
	err = takeError(C.tenon_instance_new(s.ptr, module, &vec, &instance, &trap))
	runtime.KeepAlive(imports)
	if err != nil {
		if trap != nil {
			if e, ok := err.(*Error); ok && (e.Kind == KindTrap || e.Kind == KindStackExhausted) {
				return nil, s.trap(C.uintptr_t(uintptr(unsafe.Pointer(trap))))
			}
			C.wasm_trap_delete(trap)
		}
		return nil, err
	}
	i := &Instance{store: s, module: m, exports: map[string]Extern{}}
	i.ref = own(s, i, unsafe.Pointer(instance))
	var exports C.wasm_extern_vec_t
	C.wasm_instance_exports(instance, &exports)
	defer C.wasm_extern_vec_delete(&exports)
	for n, e := range unsafe.Slice(exports.data, int(exports.size)) {
		switch m.exports[n].Kind {
		case ExternFunc:
			i.exports[m.exports[n].Name] = newFunc(s, C.wasm_func_copy(C.wasm_extern_as_func(e)))
		case ExternMemory:
			i.exports[m.exports[n].Name] = newMemory(s, C.wasm_memory_copy(C.wasm_extern_as_memory(e)))
		case ExternTable:
			i.exports[m.exports[n].Name] = newTable(s, C.wasm_table_copy(C.wasm_extern_as_table(e)))
		case ExternGlobal:
			i.exports[m.exports[n].Name] = newGlobal(s, C.wasm_global_copy(C.wasm_extern_as_global(e)))
		case ExternTag:
			i.exports[m.exports[n].Name] = newTag(s, C.wasm_tag_copy(C.wasm_extern_as_tag(e)))
		}
	}
	return i, nil
}

// Close gives up the instance. What was taken out of it stays usable.
func (i *Instance) Close() { i.drop() }

// Exports are the exports by name.
func (i *Instance) Exports() map[string]Extern {
	exports := make(map[string]Extern, len(i.exports))
	for name, e := range i.exports {
		exports[name] = e
	}
	return exports
}

func export[T Extern](i *Instance, name, kind string) (t T, err error) {
	e, ok := i.exports[name]
	if !ok {
		return t, errorf(KindArgument, "the instance has no export %q", name)
	}
	if t, ok = e.(T); !ok {
		return t, errorf(KindArgument, "the export %q is no %s", name, kind)
	}
	return t, nil
}

// Func is the exported function of this name.
func (i *Instance) Func(name string) (*Func, error) { return export[*Func](i, name, "function") }

// Memory is the exported memory of this name.
func (i *Instance) Memory(name string) (*Memory, error) { return export[*Memory](i, name, "memory") }

// Table is the exported table of this name.
func (i *Instance) Table(name string) (*Table, error) { return export[*Table](i, name, "table") }

// Global is the exported global of this name.
func (i *Instance) Global(name string) (*Global, error) { return export[*Global](i, name, "global") }

// Tag is the exported tag of this name.
func (i *Instance) Tag(name string) (*Tag, error) { return export[*Tag](i, name, "tag") }

// A Linker finds imports by their names. It belongs to one store.
type Linker struct {
	store *Store
	items map[[2]string]Extern
}

// NewLinker makes a linker without definitions.
func NewLinker(s *Store) *Linker { return &Linker{s, map[[2]string]Extern{}} }

// Define defines a thing under two names, which must be free.
func (l *Linker) Define(module, name string, item Extern) error {
	if item == nil {
		return errorf(KindArgument, "%q %q is defined as nil", module, name)
	}
	if store, _ := item.extern(); store != l.store {
		return errorf(KindStore, "%q %q is of another store than the linker", module, name)
	}
	if _, ok := l.items[[2]string{module, name}]; ok {
		return errorf(KindLink, "%q %q is defined already", module, name)
	}
	l.items[[2]string{module, name}] = item
	return nil
}

// DefineInstance defines all exports of an instance under a name and their own.
func (l *Linker) DefineInstance(module string, i *Instance) error {
	for name, item := range i.exports {
		if err := l.Define(module, name, item); err != nil {
			return err
		}
	}
	return nil
}

// Instantiate makes an instance whose imports are the definitions of their names.
func (l *Linker) Instantiate(m *Module) (*Instance, error) {
	imports := make([]Extern, len(m.imports))
	for n, i := range m.imports {
		item, ok := l.items[[2]string{i.Module, i.Name}]
		if !ok {
			return nil, errorf(KindLink, "import %q %q (%v) is not defined", i.Module, i.Name, i.Kind)
		}
		imports[n] = item
	}
	return NewInstance(l.store, m, imports...)
}
