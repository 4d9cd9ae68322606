;; Calls through a table: which function comes next depends on what the last one gave.
(module
  (type $step (func (param i32) (result i32)))
  (table funcref (elem $half $triple $mix $swap))

  (func $half (type $step) (i32.shr_u (local.get 0) (i32.const 1)))
  (func $triple (type $step) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
  (func $mix (type $step) (i32.xor (local.get 0) (i32.const 0x5bd1e995)))
  (func $swap (type $step) (i32.rotl (local.get 0) (i32.const 16)))

  (func (export "run") (param $count i32) (result i32)
    (local $x i32)
    (local.set $x (i32.const 12345))
    (loop $again
      (local.set $x
        (call_indirect (type $step)
          (i32.add (local.get $x) (local.get $count))
          (i32.and (local.get $x) (i32.const 3))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $x)))
