package tenon

// BareCall is a cgo call that does nothing, for benchmarks to compare with: test files cannot use cgo.
func BareCall() { bareCall() }
