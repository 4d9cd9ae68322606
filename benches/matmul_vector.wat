;; Vectors of floats: the product of two square matrices, four columns at a time. The first lies at 0, the second at 256 KiB, the
;; product at 512 KiB.
(module
  (memory 16)

  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $k i32) (local $row i32) (local $sum v128) (local $a i32) (local $b i32)
    (local.set $row (i32.shl (local.get $n) (i32.const 2)))
    (loop $fill
      (f32.store (local.get $i) (f32.convert_i32_u (i32.and (local.get $i) (i32.const 60))))
      (f32.store offset=262144 (local.get $i) (f32.convert_i32_u (i32.rem_u (local.get $i) (i32.const 28))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4)))
        (i32.mul (local.get $n) (local.get $row)))))
    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $k (local.get $n))
        (local.set $a (i32.mul (local.get $i) (local.get $row)))
        (local.set $b (local.get $j))
        (loop $products
          (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul
            (v128.load32_splat (local.get $a)) (v128.load offset=262144 (local.get $b)))))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (local.set $b (i32.add (local.get $b) (local.get $row)))
          (br_if $products (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (v128.store offset=524288 (i32.add (i32.mul (local.get $i) (local.get $row)) (local.get $j)) (local.get $sum))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $row))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.add (i32.load offset=524288 (i32.const 64)) (i32.load offset=525288 (i32.const 16)))))
