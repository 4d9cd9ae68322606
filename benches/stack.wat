;; A machine with a stack, every part of it a function: push, pop, operators made of these, and a loop that reads a program.
(module
  (memory 1)
  ;; 0: push 7; 1: dup; 2: add; 3: mul; 4: xor; 5: swap
  (data (i32.const 0) "\01\00\02\01\00\03\04\05\02\01\04\00\05\03\02\04")
  (global $top (mut i32) (i32.const 4096))

  (func $push (param $value i32)
    (i32.store (global.get $top) (local.get $value))
    (global.set $top (i32.add (global.get $top) (i32.const 4))))
  (func $pop (result i32)
    (global.set $top (i32.sub (global.get $top) (i32.const 4)))
    (i32.load (global.get $top)))
  (func $dup (local $value i32)
    (local.set $value (call $pop))
    (call $push (local.get $value))
    (call $push (local.get $value)))
  (func $swap (local $a i32) (local $b i32)
    (local.set $a (call $pop))
    (local.set $b (call $pop))
    (call $push (local.get $a))
    (call $push (local.get $b)))
  (func $add (call $push (i32.add (call $pop) (call $pop))))
  (func $mul (call $push (i32.mul (call $pop) (call $pop))))
  (func $xor (call $push (i32.xor (call $pop) (call $pop))))

  (func $step (param $op i32)
    (block $swap (block $xor (block $mul (block $add (block $dup (block $seven
      (br_table $seven $dup $add $mul $xor $swap (local.get $op)))
      (call $push (i32.const 7)) (return))
      (call $dup) (return))
      (call $add) (return))
      (call $mul) (return))
      (call $xor) (return))
    (call $swap))

  (func (export "run") (param $count i32) (result i32)
    (local $at i32)
    (loop $again
      (global.set $top (i32.const 4096))
      (call $push (local.get $count))
      (call $push (i32.const 5))
      (local.set $at (i32.const 0))
      (loop $next
        (call $step (i32.load8_u (local.get $at)))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 16))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (call $pop)))
