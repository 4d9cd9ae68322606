;; Vectors of bytes: one picture laid over another by its alpha, with widening, multiplication and narrowing.
(module
  (memory 3)

  (func $fill
    (local $i i32)
    (loop $each
      (i32.store (local.get $i) (i32.mul (local.get $i) (i32.const 0x01030507)))
      (i32.store offset=65536 (local.get $i) (i32.mul (local.get $i) (i32.const 0x0f1b2d3f)))
      (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 65536)))))

  (func (export "run") (param $rounds i32) (result i32)
    (local $at i32) (local $over v128) (local $under v128) (local $alpha v128) (local $sum v128)
    (call $fill)
    (loop $again
      (local.set $at (i32.const 0))
      (loop $each
        (local.set $over (v128.load (local.get $at)))
        (local.set $under (v128.load offset=65536 (local.get $at)))
        ;; Each pixel's alpha, its fourth byte, in all of its bytes.
        (local.set $alpha (i8x16.shuffle 3 3 3 3 7 7 7 7 11 11 11 11 15 15 15 15
          (local.get $over) (local.get $over)))
        (v128.store offset=131072 (i32.and (local.get $at) (i32.const 0xfff0))
          (local.tee $under (i8x16.narrow_i16x8_u
            (i16x8.shr_u
              (i16x8.add
                (i16x8.mul (i16x8.extend_low_i8x16_u (local.get $over))
                  (i16x8.extend_low_i8x16_u (local.get $alpha)))
                (i16x8.mul (i16x8.extend_low_i8x16_u (local.get $under))
                  (i16x8.extend_low_i8x16_u (v128.not (local.get $alpha)))))
              (i32.const 8))
            (i16x8.shr_u
              (i16x8.add
                (i16x8.mul (i16x8.extend_high_i8x16_u (local.get $over))
                  (i16x8.extend_high_i8x16_u (local.get $alpha)))
                (i16x8.mul (i16x8.extend_high_i8x16_u (local.get $under))
                  (i16x8.extend_high_i8x16_u (v128.not (local.get $alpha)))))
              (i32.const 8)))))
        (local.set $sum (i32x4.add (local.get $sum)
          (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $under)))))
        (br_if $each
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 65536))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
      (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
)
