;; A small function that is called in the innermost loop: the spectral norm of a matrix that is computed as it is read.
(module
  (memory 1)

  (func $element (param $i i32) (param $j i32) (result f64)
    (local $sum i32)
    (local.set $sum (i32.add (local.get $i) (local.get $j)))
    (f64.div (f64.const 1) (f64.convert_i32_s
      (i32.add (i32.add
        (i32.shr_u (i32.mul (local.get $sum) (i32.add (local.get $sum) (i32.const 1))) (i32.const 1))
        (local.get $i)) (i32.const 1)))))

  ;; $out = matrix * $in, or the transposed matrix's.
  (func $times (param $n i32) (param $in i32) (param $out i32) (param $transposed i32)
    (local $i i32) (local $j i32) (local $sum f64)
    (loop $rows
      (local.set $sum (f64.const 0))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f64.add (local.get $sum) (f64.mul
          (if (result f64) (local.get $transposed)
            (then (call $element (local.get $j) (local.get $i)))
            (else (call $element (local.get $i) (local.get $j))))
          (f64.load (i32.add (local.get $in) (i32.shl (local.get $j) (i32.const 3)))))))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (f64.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3))) (local.get $sum))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))

  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $uv f64) (local $vv f64)
    (loop $ones
      (f64.store (i32.shl (local.get $i) (i32.const 3)) (f64.const 1))
      (br_if $ones (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 0))
    (loop $again
      (call $times (local.get $n) (i32.const 0) (i32.const 16384) (i32.const 0))
      (call $times (local.get $n) (i32.const 16384) (i32.const 32768) (i32.const 1))
      (call $times (local.get $n) (i32.const 32768) (i32.const 16384) (i32.const 0))
      (call $times (local.get $n) (i32.const 16384) (i32.const 0) (i32.const 1))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
    (local.set $i (i32.const 0))
    (loop $sum
      (local.set $uv (f64.add (local.get $uv) (f64.mul (f64.load (i32.shl (local.get $i) (i32.const 3)))
        (f64.load offset=32768 (i32.shl (local.get $i) (i32.const 3))))))
      (local.set $vv (f64.add (local.get $vv) (f64.mul (f64.load offset=32768 (i32.shl (local.get $i) (i32.const 3)))
        (f64.load offset=32768 (i32.shl (local.get $i) (i32.const 3))))))
      (br_if $sum (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.trunc_f64_s (f64.mul (f64.const 100000000) (f64.sqrt (f64.div (local.get $uv) (local.get $vv)))))))
