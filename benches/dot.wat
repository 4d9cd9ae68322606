;; Vectors of floats: the dot product of two arrays, four sums at a time, as compilers unroll it.
(module
  (memory 4)

  (func $fill
    (local $i i32)
    (loop $each
      (f32.store (i32.shl (local.get $i) (i32.const 2))
        (f32.mul (f32.convert_i32_s (i32.and (local.get $i) (i32.const 63))) (f32.const 0.125)))
      (f32.store offset=65536 (i32.shl (local.get $i) (i32.const 2))
        (f32.sub (f32.const 4) (f32.convert_i32_s (i32.and (local.get $i) (i32.const 7)))))
      (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16384)))))

  (func (export "run") (param $rounds i32) (result i32)
    (local $at i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (call $fill)
    (loop $again
      (local.set $at (i32.const 0))
      (loop $each
        (local.set $a (f32x4.add (local.get $a)
          (f32x4.mul (v128.load (local.get $at)) (v128.load offset=65536 (local.get $at)))))
        (local.set $b (f32x4.add (local.get $b)
          (f32x4.mul (v128.load offset=16 (local.get $at)) (v128.load offset=65552 (local.get $at)))))
        (local.set $c (f32x4.add (local.get $c)
          (f32x4.mul (v128.load offset=32 (local.get $at)) (v128.load offset=65568 (local.get $at)))))
        (local.set $d (f32x4.add (local.get $d)
          (f32x4.mul (v128.load offset=48 (local.get $at)) (v128.load offset=65584 (local.get $at)))))
        (br_if $each
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.const 65536))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.set $a (f32x4.add
      (f32x4.add (local.get $a) (local.get $b)) (f32x4.add (local.get $c) (local.get $d))))
    (i32.reinterpret_f32 (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
      (f32.add (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a))))))
)
