;; Floating point: the product of two square matrices of f64, by rows.
(module
  (memory 16)

  ;; Where row $row, column $column of matrix $matrix lies, for matrices of $n rows.
  (func $at (param $n i32) (param $matrix i32) (param $row i32) (param $column i32) (result i32)
    (i32.shl
      (i32.add
        (i32.mul
          (i32.add (i32.mul (local.get $matrix) (local.get $n)) (local.get $row))
          (local.get $n))
        (local.get $column))
      (i32.const 3)))

  ;; Multiplies matrices of $n rows; the result is the sum of the product's diagonal.
  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $k i32)
    (local $a f64) (local $to i32) (local $from i32) (local $sum f64)
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (f64.store (call $at (local.get $n) (i32.const 0) (local.get $i) (local.get $j))
          (f64.convert_i32_s
            (i32.add (i32.sub (local.get $i) (local.get $j)) (i32.const 1))))
        (f64.store (call $at (local.get $n) (i32.const 1) (local.get $i) (local.get $j))
          (f64.convert_i32_s (i32.add (local.get $i) (local.get $j))))
        (f64.store (call $at (local.get $n) (i32.const 2) (local.get $i) (local.get $j))
          (f64.const 0))
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $n))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $n))))

    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $k (i32.const 0))
      (loop $inner
        (local.set $a
          (f64.load (call $at (local.get $n) (i32.const 0) (local.get $i) (local.get $k))))
        (local.set $from (call $at (local.get $n) (i32.const 1) (local.get $k) (i32.const 0)))
        (local.set $to (call $at (local.get $n) (i32.const 2) (local.get $i) (i32.const 0)))
        (local.set $j (i32.const 0))
        (loop $columns
          (f64.store (local.get $to)
            (f64.add (f64.load (local.get $to))
              (f64.mul (local.get $a) (f64.load (local.get $from)))))
          (local.set $from (i32.add (local.get $from) (i32.const 8)))
          (local.set $to (i32.add (local.get $to) (i32.const 8)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $columns (i32.lt_u (local.get $j) (local.get $n))))
        (local.set $k (i32.add (local.get $k) (i32.const 1)))
        (br_if $inner (i32.lt_u (local.get $k) (local.get $n))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $n))))

    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $sum
        (f64.add (local.get $sum)
          (f64.load (call $at (local.get $n) (i32.const 2) (local.get $i) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $n))))
    (i32.trunc_sat_f64_s (local.get $sum)))
)
