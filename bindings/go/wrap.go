package tenon

import (
	"reflect"
)

// What Go's types are as types of values; anything else is refused.
var goTypes = map[reflect.Type]Kind{
	reflect.TypeFor[int32](): I32, reflect.TypeFor[uint32](): I32, reflect.TypeFor[int64](): I64, reflect.TypeFor[uint64](): I64,
	reflect.TypeFor[float32](): F32, reflect.TypeFor[float64](): F64, reflect.TypeFor[Vector](): V128,
	reflect.TypeFor[any](): ExternRef, reflect.TypeFor[*Func](): FuncRef, reflect.TypeFor[*Exception](): ExnRef,
}

var goError = reflect.TypeFor[error]()

// goKinds are the types of values that Go's types stand for.
func goKinds(count int, at func(int) reflect.Type, what string) ([]ValType, error) {
	types := make([]ValType, count)
	for i := range types {
		kind, ok := goTypes[at(i)]
		if !ok {
			return nil, errorf(KindArgument, "%s %d has Go's type %v, which no value of WebAssembly has", what, i, at(i))
		}
		types[i] = kind
	}
	return types, nil
}

// Wrap makes a function of any closure that takes and returns numbers, a Vector, a *Func, an *Exception, or anything as externref; the last
// result may be an error. See NewFunc for what becomes of that, and of a panic. Host0 and its siblings are much faster.
func Wrap(s *Store, fn any) (*Func, error) {
	closure := reflect.ValueOf(fn)
	if closure.Kind() != reflect.Func || closure.IsNil() || closure.Type().IsVariadic() {
		return nil, errorf(KindArgument, "%T is no closure of a fixed number of parameters", fn)
	}
	goType := closure.Type()
	results := goType.NumOut()
	fails := results > 0 && goType.Out(results-1) == goError
	if fails {
		results--
	}
	ty := FuncType{}
	var err error
	if ty.Params, err = goKinds(goType.NumIn(), goType.In, "parameter"); err != nil {
		return nil, err
	}
	if ty.Results, err = goKinds(results, goType.Out, "result"); err != nil {
		return nil, err
	}
	return NewFunc(s, ty, func(args []any) ([]any, error) {
		in := make([]reflect.Value, len(args))
		for i, arg := range args {
			in[i] = goValue(arg, goType.In(i))
		}
		out := closure.Call(in)
		if fails {
			if err, _ := out[results].Interface().(error); err != nil {
				return nil, err
			}
		}
		return plainValues(out[:results]), nil
	})
}

// goValue is a value, which is known to fit, as one of Go's type: an i32 of a uint32 is converted.
func goValue(value any, ty reflect.Type) reflect.Value {
	if value == nil {
		return reflect.Zero(ty)
	}
	return reflect.ValueOf(value).Convert(ty)
}

// plainValues are values as Call takes them: a nil pointer is the null reference.
func plainValues(values []reflect.Value) []any {
	plain := make([]any, len(values))
	for i, value := range values {
		if value.Kind() != reflect.Pointer || !value.IsNil() {
			plain[i] = value.Interface()
		}
	}
	return plain
}

// Bind makes a Go function of the function and assigns it to a variable, to which it gets a pointer:
//
//	var add func(a, b int32) (int32, error)
//	err := f.Bind(&add)
//
// Go's types are those of Wrap, and the last result is an error. Bind0 and its siblings are much faster.
func (f *Func) Bind(to any) error {
	variable := reflect.ValueOf(to)
	if variable.Kind() != reflect.Pointer || variable.IsNil() || variable.Elem().Kind() != reflect.Func {
		return errorf(KindArgument, "%T is no pointer to a variable of a function", to)
	}
	goType := variable.Elem().Type()
	results := goType.NumOut() - 1
	if goType.IsVariadic() || results < 0 || goType.Out(results) != goError {
		return errorf(KindArgument, "%v has no error as its last result, or is variadic", goType)
	}
	ty := FuncType{}
	var err error
	if ty.Params, err = goKinds(goType.NumIn(), goType.In, "parameter"); err != nil {
		return err
	}
	if ty.Results, err = goKinds(results, goType.Out, "result"); err != nil {
		return err
	}
	if !sameKinds(ty.Params, f.ty.Params) || !sameKinds(ty.Results, f.ty.Results) {
		return errorf(KindArgument, "the function has type %v, not %v", f.ty, ty)
	}
	variable.Elem().Set(reflect.MakeFunc(goType, func(args []reflect.Value) []reflect.Value {
		values, err := f.Call(plainValues(args)...)
		out := make([]reflect.Value, results+1)
		for i := range results {
			out[i] = reflect.Zero(goType.Out(i))
			if err == nil {
				out[i] = goValue(values[i], goType.Out(i))
			}
		}
		out[results] = reflect.Zero(goError)
		if err != nil {
			out[results] = reflect.ValueOf(&err).Elem()
		}
		return out
	}))
	return nil
}

func sameKinds(a, b []ValType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Kind() != b[i].Kind() {
			return false
		}
	}
	return true
}
