;; Bytes through tables: hexadecimal digits of a text and back, by swizzles, shifts and comparisons.
(module
  (memory 4)
  (data (i32.const 0) "0123456789abcdef")

  (func (export "run") (param $rounds i32) (result i32)
    (local $at i32) (local $bytes v128) (local $high v128) (local $low v128) (local $digits v128)
    (local $sum v128)
    (local.set $digits (v128.load (i32.const 0)))
    (local.set $bytes (v128.const i32x4 0x12345678 0x9abcdef0 0x0f1e2d3c 0x4b5a6978))
    (loop $again
      (local.set $at (i32.const 64))
      (loop $each
        (local.set $high (i8x16.swizzle (local.get $digits)
          (i8x16.shr_u (local.get $bytes) (i32.const 4))))
        (local.set $low (i8x16.swizzle (local.get $digits)
          (v128.and (local.get $bytes) (i8x16.splat (i32.const 15)))))
        (v128.store (local.get $at) (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
          (local.get $high) (local.get $low)))
        (v128.store offset=16 (local.get $at)
          (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
            (local.get $high) (local.get $low)))
        ;; How many of the digits are letters.
        (local.set $sum (i8x16.sub (local.get $sum)
          (i8x16.gt_u (v128.load (local.get $at)) (i8x16.splat (i32.const 57)))))
        (local.set $bytes (i32x4.add (i32x4.mul (local.get $bytes)
          (i32x4.splat (i32.const 0x2c1b3c6d))) (local.get $sum)))
        (br_if $each
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (i32.const 131072))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $bytes)) (i32x4.extract_lane 1 (local.get $bytes)))
      (i32.add (i32x4.extract_lane 2 (local.get $bytes)) (i32x4.extract_lane 3 (local.get $bytes)))))
)
