package tenon

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

// results tells the kinds of a Result, and how it is read from slots and written to them.
type results interface {
	kinds() []Kind
	read(values unsafe.Pointer)
	write(values unsafe.Pointer)
}

func (*Pair[A, B]) kinds() []Kind { return []Kind{kindOf[A](), kindOf[B]()} }
func (p *Pair[A, B]) read(values unsafe.Pointer) {
	p.First, p.Second = load[A](values, 0), load[B](values, 1)
}
func (p *Pair[A, B]) write(values unsafe.Pointer) {
	save(values, 0, p.First)
	save(values, 1, p.Second)
}

func load[T Number](values unsafe.Pointer, i int) T { return *(*T)(unsafe.Add(values, i*rawSize)) }

func save[T Number](values unsafe.Pointer, i int, value T) {
	*(*T)(unsafe.Add(values, i*rawSize)) = value
}

// resultKinds is what R stands for, or nil and false if R is no Result.
func resultKinds[R Result]() ([]Kind, bool) {
	var r R
	switch p := any(&r).(type) {
	case *None:
		return nil, true
	case *int32, *uint32:
		return []Kind{I32}, true
	case *int64, *uint64:
		return []Kind{I64}, true
	case *float32:
		return []Kind{F32}, true
	case *float64:
		return []Kind{F64}, true
	case results:
		return p.kinds(), true
	}
	return nil, false
}

func readResult[R Result](values unsafe.Pointer) (r R) {
	switch unsafe.Sizeof(r) {
	case 0:
		return r
	case 4:
		*(*uint32)(unsafe.Pointer(&r)) = *(*uint32)(values)
		return r
	case 8:
		// A number; only a pair of two small ones has the same size.
		if _, pair := any((*R)(nil)).(results); !pair {
			*(*uint64)(unsafe.Pointer(&r)) = *(*uint64)(values)
			return r
		}
	}
	return readPair[R](values)
}

func readPair[R Result](values unsafe.Pointer) R {
	r := new(R)
	any(r).(results).read(values)
	return *r
}

func writeResult[R Result](values unsafe.Pointer, r R) {
	switch p := any(&r).(type) {
	case *None:
	case results:
		p.write(values)
	default:
		if unsafe.Sizeof(r) == 4 {
			*(*uint32)(values) = *(*uint32)(unsafe.Pointer(&r))
		} else {
			*(*uint64)(values) = *(*uint64)(unsafe.Pointer(&r))
		}
	}
}

// typed is the type of a function with these parameters and results of R.
func typed[R Result](params ...Kind) (FuncType, error) {
	kinds, ok := resultKinds[R]()
	if !ok {
		var r R
		return FuncType{}, errorf(KindArgument, "%T is no result of a typed function: it is to be a number, None or a Pair", r)
	}
	return FuncType{params, kinds}, nil
}

// expect makes sure that a function has a type.
func expect[R Result](f *Func, params ...Kind) error {
	want, err := typed[R](params...)
	if err == nil && !f.ty.same(want) {
		err = errorf(KindArgument, "the function has type %v, not %v", f.ty, want)
	}
	return err
}

// width is how many slots a call takes.
func (f *Func) width() int { return max(len(f.ty.Params), len(f.ty.Results)) }

// Bind0 is a function of no parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind0[R Result](f *Func) (func() (R, error), error) {
	if err := expect[R](f); err != nil {
		return nil, err
	}
	width := f.width()
	return func() (r R, err error) {
		c, err := f.begin(width)
		if err != nil {
			return r, err
		}
		defer c.end()

		if err := c.call(); err != nil {
			return r, err
		}
		return readResult[R](c.values), nil
	}, nil
}

// Host0 makes a function of no parameters of a Go closure; see NewFunc.
func Host0[R Result](s *Store, fn func() (R, error)) (*Func, error) {
	ty, err := typed[R]()
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		r, err := fn()
		if err == nil {
			writeResult(values, r)
		}
		return err
	})
}

// Bind1 is a function of one parameter as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind1[A Number, R Result](f *Func) (func(A) (R, error), error) {
	if err := expect[R](f, kindOf[A]()); err != nil {
		return nil, err
	}
	width := f.width()
	return func(a A) (r R, err error) {
		c, err := f.begin(width)
		if err != nil {
			return r, err
		}
		defer c.end()
		save(c.values, 0, a)
		if err := c.call(); err != nil {
			return r, err
		}
		return readResult[R](c.values), nil
	}, nil
}

// Host1 makes a function of one parameter of a Go closure; see NewFunc.
func Host1[A Number, R Result](s *Store, fn func(A) (R, error)) (*Func, error) {
	ty, err := typed[R](kindOf[A]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		r, err := fn(load[A](values, 0))
		if err == nil {
			writeResult(values, r)
		}
		return err
	})
}

// Bind2 is a function of two parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind2[A, B Number, R Result](f *Func) (func(A, B) (R, error), error) {
	if err := expect[R](f, kindOf[A](), kindOf[B]()); err != nil {
		return nil, err
	}
	width := f.width()
	return func(a A, b B) (r R, err error) {
		c, err := f.begin(width)
		if err != nil {
			return r, err
		}
		defer c.end()
		save(c.values, 0, a)
		save(c.values, 1, b)
		if err := c.call(); err != nil {
			return r, err
		}
		return readResult[R](c.values), nil
	}, nil
}

// Host2 makes a function of two parameters of a Go closure; see NewFunc.
func Host2[A, B Number, R Result](s *Store, fn func(A, B) (R, error)) (*Func, error) {
	ty, err := typed[R](kindOf[A](), kindOf[B]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1))
		if err == nil {
			writeResult(values, r)
		}
		return err
	})
}

// Bind3 is a function of three parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind3[A, B, T Number, R Result](f *Func) (func(A, B, T) (R, error), error) {
	if err := expect[R](f, kindOf[A](), kindOf[B](), kindOf[T]()); err != nil {
		return nil, err
	}
	width := f.width()
	return func(a A, b B, t T) (r R, err error) {
		c, err := f.begin(width)
		if err != nil {
			return r, err
		}
		defer c.end()
		save(c.values, 0, a)
		save(c.values, 1, b)
		save(c.values, 2, t)
		if err := c.call(); err != nil {
			return r, err
		}
		return readResult[R](c.values), nil
	}, nil
}

// Host3 makes a function of three parameters of a Go closure; see NewFunc.
func Host3[A, B, T Number, R Result](s *Store, fn func(A, B, T) (R, error)) (*Func, error) {
	ty, err := typed[R](kindOf[A](), kindOf[B](), kindOf[T]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1), load[T](values, 2))
		if err == nil {
			writeResult(values, r)
		}
		return err
	})
}

// Bind4 is a function of four parameters as a Go function. Its type is checked here, once; calls of it allocate nothing.
func Bind4[A, B, T, U Number, R Result](f *Func) (func(A, B, T, U) (R, error), error) {
	if err := expect[R](f, kindOf[A](), kindOf[B](), kindOf[T](), kindOf[U]()); err != nil {
		return nil, err
	}
	width := f.width()
	return func(a A, b B, t T, u U) (r R, err error) {
		c, err := f.begin(width)
		if err != nil {
			return r, err
		}
		defer c.end()
		save(c.values, 0, a)
		save(c.values, 1, b)
		save(c.values, 2, t)
		save(c.values, 3, u)
		if err := c.call(); err != nil {
			return r, err
		}
		return readResult[R](c.values), nil
	}, nil
}

// Host4 makes a function of four parameters of a Go closure; see NewFunc.
func Host4[A, B, T, U Number, R Result](s *Store, fn func(A, B, T, U) (R, error)) (*Func, error) {
	ty, err := typed[R](kindOf[A](), kindOf[B](), kindOf[T](), kindOf[U]())
	if err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		r, err := fn(load[A](values, 0), load[B](values, 1), load[T](values, 2), load[U](values, 3))
		if err == nil {
			writeResult(values, r)
		}
		return err
	})
}
