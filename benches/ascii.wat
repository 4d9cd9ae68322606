;; Vectors of bytes: a text is searched for what is not ASCII, and its lines are counted.
(module
  (memory 17)

  (func $scan (param $end i32) (result i32)
    (local $at i32) (local $bytes v128) (local $all v128) (local $lines i32)
    (loop $again
      (local.set $bytes (v128.load (local.get $at)))
      (local.set $all (v128.or (local.get $all) (local.get $bytes)))
      (local.set $lines (i32.add (local.get $lines) (i32.popcnt (i8x16.bitmask
        (i8x16.eq (local.get $bytes) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10))))))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (i32.add (local.get $lines) (i32.shl (i8x16.bitmask (local.get $all)) (i32.const 24))))

  (func (export "run") (param $count i32) (result i32)
    (local $i i32) (local $x i32) (local $sum i32)
    (loop $fill
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
      (i32.store8 (local.get $i) (i32.shr_u (local.get $x) (i32.const 25)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $scan (i32.const 65536))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum)))
