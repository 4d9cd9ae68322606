;; Sorting: a heap of numbers, with branches that nobody can foretell.
(module
  (memory 64)

  (func $at (param $i i32) (result i32)
    (i32.load (i32.shl (local.get $i) (i32.const 2))))

  (func $put (param $i i32) (param $value i32)
    (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $value)))

  ;; Lets the number at $root sink into the heap of $count numbers.
  (func $sink (param $root i32) (param $count i32)
    (local $child i32) (local $value i32)
    (local.set $value (call $at (local.get $root)))
    (block $done
      (loop $down
        (local.set $child (i32.add (i32.shl (local.get $root) (i32.const 1)) (i32.const 1)))
        (br_if $done (i32.ge_u (local.get $child) (local.get $count)))
        (if (i32.lt_u (i32.add (local.get $child) (i32.const 1)) (local.get $count))
          (then
            (if (i32.lt_s (call $at (local.get $child))
                  (call $at (i32.add (local.get $child) (i32.const 1))))
              (then (local.set $child (i32.add (local.get $child) (i32.const 1)))))))
        (br_if $done (i32.ge_s (local.get $value) (call $at (local.get $child))))
        (call $put (local.get $root) (call $at (local.get $child)))
        (local.set $root (local.get $child))
        (br $down)))
    (call $put (local.get $root) (local.get $value)))

  (func (export "run") (param $count i32) (result i32)
    (local $i i32) (local $x i32) (local $sum i32)
    (local.set $x (i32.const 1))
    (loop $fill
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
      (call $put (local.get $i) (local.get $x))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))
    (local.set $i (i32.shr_u (local.get $count) (i32.const 1)))
    (loop $build
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (call $sink (local.get $i) (local.get $count))
      (br_if $build (local.get $i)))
    (local.set $i (i32.sub (local.get $count) (i32.const 1)))
    (loop $take
      (local.set $x (call $at (i32.const 0)))
      (call $put (i32.const 0) (call $at (local.get $i)))
      (call $put (local.get $i) (local.get $x))
      (call $sink (i32.const 0) (local.get $i))
      (br_if $take (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (loop $check
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (call $at (local.get $i))))
      (br_if $check (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))
    (local.get $sum)))
