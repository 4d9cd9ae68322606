package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// An Extern is what can be imported and exported: a *Func, *Memory, *Table, *Global or *Tag.
type Extern interface {
	extern() (*Store, *ref)
}

// An Instance is a module at work in a store.
type Instance struct {
	*ref
	store  *Store
	module *Module
	// The exports that were asked for; the others are in ref.more, in the order of the module.
	mu      sync.Mutex
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
	exports := make([]unsafe.Pointer, len(m.exports))
	var made C.tenon_go_instance_t
	err = m.use(func(shared *C.wasm_shared_module_t) error {
		made = C.tenon_go_instance_new(s.ptr, shared, unsafe.SliceData(externs), C.size_t(len(externs)), unsafe.SliceData(exports),
			C.size_t(len(exports)))
		return takeError(made.error)
	})
	runtime.KeepAlive(imports)
	if err != nil {
		if made.trap != nil {
			if e, ok := err.(*Error); ok && (e.Kind == KindTrap || e.Kind == KindStackExhausted) {
				return nil, s.trap(C.uintptr_t(uintptr(unsafe.Pointer(made.trap))))
			}
			C.wasm_trap_delete(made.trap)
		}
		return nil, err
	}
	i := &Instance{store: s, module: m, exports: map[string]Extern{}}
	i.ref = own(s, i, unsafe.Pointer(made.instance), exports...)
	return i, nil
}

// Close gives up the instance. What was taken out of it stays usable.
func (i *Instance) Close() { i.drop() }

// Exports are the exports by name; nil if the instance is closed.
func (i *Instance) Exports() map[string]Extern {
	exports := make(map[string]Extern, len(i.module.exports))
	for n, ty := range i.module.exports {
		e, err := i.export(n)
		if err != nil {
			return nil
		}
		exports[ty.Name] = e
	}
	return exports
}

// export is the export at a place of the module.
func (i *Instance) export(n int) (Extern, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	ty := &i.module.exports[n]
	if e, ok := i.exports[ty.Name]; ok {
		return e, nil
	}
	before, err := i.store.enter()
	if err != nil {
		return nil, err
	}
	defer i.store.leave(before)
	p, err := i.take(n)
	if err != nil {
		return nil, err
	}
	var e Extern
	switch ty.Kind {
	case ExternFunc:
		e = exportedFunc(i.store, (*C.wasm_func_t)(p), ty.Type.(FuncType))
	case ExternMemory:
		e = newMemory(i.store, (*C.wasm_memory_t)(p))
	case ExternTable:
		e = newTable(i.store, (*C.wasm_table_t)(p))
	case ExternGlobal:
		e = newGlobal(i.store, (*C.wasm_global_t)(p))
	case ExternTag:
		e = newTag(i.store, (*C.wasm_tag_t)(p))
	}
	i.exports[ty.Name] = e
	return e, nil
}

// take is the reference to the export at a place, which nobody has asked for.
func (i *Instance) take(n int) (p unsafe.Pointer, err error) {
	i.home.mu.Lock()
	defer i.home.mu.Unlock()
	if i.more == nil {
		return nil, ErrClosed
	}
	p, i.more[n] = i.more[n], nil
	return p, nil
}

func export[T Extern](i *Instance, name, kind string) (t T, err error) {
	n, ok := i.module.places[name]
	if !ok {
		return t, errorf(KindArgument, "the instance has no export %q", name)
	}
	e, err := i.export(n)
	if err != nil {
		return t, err
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

// DefineFunc defines a closure as a function under two names; see Wrap.
func (l *Linker) DefineFunc(module, name string, fn any) error {
	f, err := Wrap(l.store, fn)
	if err != nil {
		return err
	}
	return l.Define(module, name, f)
}

// DefineMissing defines, for each function that a module imports and that is not defined, one that fails and says which it is: for
// imports that are not called.
func (l *Linker) DefineMissing(m *Module) error {
	for _, i := range m.imports {
		ty, ok := i.Type.(FuncType)
		if l.Get(i.Module, i.Name) != nil || !ok {
			continue
		}
		f, err := NewFunc(l.store, ty, func([]any) ([]any, error) {
			return nil, errorf(KindLink, "the import %q %q was called, which is not defined", i.Module, i.Name)
		})
		if err != nil {
			return err
		}
		if err := l.Define(i.Module, i.Name, f); err != nil {
			return err
		}
	}
	return nil
}

// Get is what is defined under two names; nil if nothing is.
func (l *Linker) Get(module, name string) Extern { return l.items[[2]string{module, name}] }

// DefineInstance defines all exports of an instance under a name and their own.
func (l *Linker) DefineInstance(module string, i *Instance) error {
	for n, ty := range i.module.exports {
		item, err := i.export(n)
		if err != nil {
			return err
		}
		if err := l.Define(module, ty.Name, item); err != nil {
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
