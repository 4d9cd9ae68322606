package tenon

// #include "shim.h"
import "C"

import "unsafe"

// None is the result of a function that has no results.
type None = struct{}

// A Pair is the results of a function that has two.
type Pair[A, B Number] struct {
	First  A
	Second B
}

// A Result is what a typed function returns: a Number, None or a Pair.
type Result interface{}

// pair is what only a Pair is.
type pair interface{ layout() layout }

// layout says how a Result lies in Go's memory.
type layout struct {
	kinds []Kind
	// Whether the first and the second number have 4 bytes, else 8; and where the second one is.
	small  [2]bool
	second uintptr
}

func (Pair[A, B]) layout() layout {
	var p Pair[A, B]
	l := layout{kinds: []Kind{kindOf[A](), kindOf[B]()}, second: unsafe.Offsetof(p.Second)}
	l.small = [2]bool{unsafe.Sizeof(p.First) == 4, unsafe.Sizeof(p.Second) == 4}
	return l
}

// layoutOf is what R is like, or false if R is no Result.
func layoutOf[R Result]() (layout, bool) {
	var r R
	one := func(kind Kind) (layout, bool) {
		return layout{kinds: []Kind{kind}, small: [2]bool{unsafe.Sizeof(r) == 4}}, true
	}
	switch r := any(r).(type) {
	case None:
		return layout{}, true
	case int32, uint32:
		return one(I32)
	case int64, uint64:
		return one(I64)
	case float32:
		return one(F32)
	case float64:
		return one(F64)
	case pair:
		return r.layout(), true
	}
	return layout{}, false
}

// read makes a Result of numbers as they come from the shim.
func read[R Result](l *layout, out C.tenon_go_outcome_t) (r R) {
	if len(l.kinds) > 0 {
		set(unsafe.Pointer(&r), uint64(out.first), l.small[0])
		if len(l.kinds) > 1 {
			set(unsafe.Add(unsafe.Pointer(&r), l.second), uint64(out.second), l.small[1])
		}
	}
	return r
}

// write puts a Result into slots.
func write[R Result](l *layout, values unsafe.Pointer, r R) {
	if len(l.kinds) > 0 {
		set(values, bits(unsafe.Pointer(&r), l.small[0]), l.small[0])
		if len(l.kinds) > 1 {
			set(unsafe.Add(values, rawSize), bits(unsafe.Add(unsafe.Pointer(&r), l.second), l.small[1]), l.small[1])
		}
	}
}

// set writes a number of 4 bytes or of 8, and bits reads one.
func set(to unsafe.Pointer, number uint64, small bool) {
	if small {
		*(*uint32)(to) = uint32(number)
	} else {
		*(*uint64)(to) = number
	}
}

func bits(from unsafe.Pointer, small bool) uint64 {
	if small {
		return uint64(*(*uint32)(from))
	}
	return *(*uint64)(from)
}

// load is the number in a slot.
func load[T Number](values unsafe.Pointer, i int) T { return *(*T)(unsafe.Add(values, i*rawSize)) }

// word is a number as an argument for the shim.
func word[T Number](value T) C.uint64_t {
	return C.uint64_t(bits(unsafe.Pointer(&value), unsafe.Sizeof(value) == 4))
}

// typed is the type of a function with these parameters and results of R, and how these lie in memory.
func typed[R Result](params ...Kind) (FuncType, layout, error) {
	l, ok := layoutOf[R]()
	if !ok {
		var r R
		return FuncType{}, l, errorf(KindArgument, "%T is no result of a typed function: it is to be a number, None or a Pair", r)
	}
	return FuncType{kindTypes(params), kindTypes(l.kinds)}, l, nil
}

// expect makes sure that a function has a type.
func expect[R Result](f *Func, params ...Kind) (layout, error) {
	want, l, err := typed[R](params...)
	if err == nil && !f.ty.is(params, l.kinds) {
		err = errorf(KindArgument, "the function has type %v, not %v", f.ty, want)
	}
	return l, err
}

// Bind0 is a function of no parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind0[R Result](f *Func) (func() (R, error), error) {
	l, err := expect[R](f)
	if err != nil {
		return nil, err
	}
	return func() (r R, err error) {
		out, err := f.callFew(0, 0, 0, 0)
		if err != nil {
			return r, err
		}
		return read[R](&l, out), nil
	}, nil
}

// Host0 makes a function of no parameters of a Go closure; see NewFunc.
func Host0[R Result](s *Store, fn func() (R, error)) (*Func, error) {
	ty, l, err := typed[R]()
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values, _ unsafe.Pointer) error {
		r, err := fn()
		if err == nil {
			write(&l, values, r)
		}
		return err
	})
}

// Bind1 is a function of one parameter as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind1[A Number, R Result](f *Func) (func(A) (R, error), error) {
	l, err := expect[R](f, kindOf[A]())
	if err != nil {
		return nil, err
	}
	return func(a A) (r R, err error) {
		out, err := f.callFew(word(a), 0, 0, 0)
		if err != nil {
			return r, err
		}
		return read[R](&l, out), nil
	}, nil
}

// Host1 makes a function of one parameter of a Go closure; see NewFunc.
func Host1[A Number, R Result](s *Store, fn func(A) (R, error)) (*Func, error) {
	ty, l, err := typed[R](kindOf[A]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values, _ unsafe.Pointer) error {
		r, err := fn(load[A](values, 0))
		if err == nil {
			write(&l, values, r)
		}
		return err
	})
}

// Bind2 is a function of two parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind2[A, B Number, R Result](f *Func) (func(A, B) (R, error), error) {
	l, err := expect[R](f, kindOf[A](), kindOf[B]())
	if err != nil {
		return nil, err
	}
	return func(a A, b B) (r R, err error) {
		out, err := f.callFew(word(a), word(b), 0, 0)
		if err != nil {
			return r, err
		}
		return read[R](&l, out), nil
	}, nil
}

// Host2 makes a function of two parameters of a Go closure; see NewFunc.
func Host2[A, B Number, R Result](s *Store, fn func(A, B) (R, error)) (*Func, error) {
	ty, l, err := typed[R](kindOf[A](), kindOf[B]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values, _ unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1))
		if err == nil {
			write(&l, values, r)
		}
		return err
	})
}

// Bind3 is a function of three parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind3[A, B, T Number, R Result](f *Func) (func(A, B, T) (R, error), error) {
	l, err := expect[R](f, kindOf[A](), kindOf[B](), kindOf[T]())
	if err != nil {
		return nil, err
	}
	return func(a A, b B, t T) (r R, err error) {
		out, err := f.callFew(word(a), word(b), word(t), 0)
		if err != nil {
			return r, err
		}
		return read[R](&l, out), nil
	}, nil
}

// Host3 makes a function of three parameters of a Go closure; see NewFunc.
func Host3[A, B, T Number, R Result](s *Store, fn func(A, B, T) (R, error)) (*Func, error) {
	ty, l, err := typed[R](kindOf[A](), kindOf[B](), kindOf[T]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values, _ unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1), load[T](values, 2))
		if err == nil {
			write(&l, values, r)
		}
		return err
	})
}

// Bind4 is a function of four parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind4[A, B, T, U Number, R Result](f *Func) (func(A, B, T, U) (R, error), error) {
	l, err := expect[R](f, kindOf[A](), kindOf[B](), kindOf[T](), kindOf[U]())
	if err != nil {
		return nil, err
	}
	return func(a A, b B, t T, u U) (r R, err error) {
		out, err := f.callFew(word(a), word(b), word(t), word(u))
		if err != nil {
			return r, err
		}
		return read[R](&l, out), nil
	}, nil
}

// Host4 makes a function of four parameters of a Go closure; see NewFunc.
func Host4[A, B, T, U Number, R Result](s *Store, fn func(A, B, T, U) (R, error)) (*Func, error) {
	ty, l, err := typed[R](kindOf[A](), kindOf[B](), kindOf[T](), kindOf[U]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values, _ unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1), load[T](values, 2), load[U](values, 3))
		if err == nil {
			write(&l, values, r)
		}
		return err
	})
}
