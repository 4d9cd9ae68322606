;; What crossing the border between host and guest costs, in both directions.
(module
  (import "host" "nothing" (func $nothing))
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (memory (export "memory") 1)

  (func (export "nothing"))

  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))

  ;; The loop alone, and the loop with a call of the host in it.
  (func (export "loop") (param $count i32)
    (loop $again
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $again (local.get $count))))

  (func (export "loop_nothing") (param $count i32)
    (loop $again
      (call $nothing)
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $again (local.get $count))))

  (func (export "loop_add") (param $count i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (call $add (local.get $sum) (local.get $count)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $again (local.get $count))))
)
