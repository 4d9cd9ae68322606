;; A module that calls its host.
(module
  (import "host" "print" (func $print (param i32)))
  (import "host" "accumulate" (func $accumulate (param i32) (result i64)))

  ;; Prints $a + $b through the host, and returns what the host has accumulated.
  (func (export "run") (param $a i32) (param $b i32) (result i64)
    (local $sum i32)
    (local.set $sum (i32.add (local.get $a) (local.get $b)))
    (call $print (local.get $sum))
    (call $accumulate (local.get $sum)))
)
