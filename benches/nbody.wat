;; Doubles in memory: five bodies that attract each other.
;; A body takes 56 bytes: x, y, z, vx, vy, vz, mass.
(module
  (memory 1)

  (func $advance
    (local $a i32) (local $b i32) (local $dx f64) (local $dy f64) (local $dz f64) (local $d2 f64) (local $mag f64)
    (loop $outer
      (local.set $b (i32.add (local.get $a) (i32.const 56)))
      (block $last
        (loop $inner
          (br_if $last (i32.ge_u (local.get $b) (i32.const 280)))
          (local.set $dx (f64.sub (f64.load (local.get $a)) (f64.load (local.get $b))))
          (local.set $dy (f64.sub (f64.load offset=8 (local.get $a)) (f64.load offset=8 (local.get $b))))
          (local.set $dz (f64.sub (f64.load offset=16 (local.get $a)) (f64.load offset=16 (local.get $b))))
          (local.set $d2 (f64.add (f64.mul (local.get $dx) (local.get $dx))
            (f64.add (f64.mul (local.get $dy) (local.get $dy)) (f64.mul (local.get $dz) (local.get $dz)))))
          (local.set $mag (f64.div (f64.const 0.01) (f64.mul (local.get $d2) (f64.sqrt (local.get $d2)))))
          (f64.store offset=24 (local.get $a) (f64.sub (f64.load offset=24 (local.get $a))
            (f64.mul (local.get $dx) (f64.mul (f64.load offset=48 (local.get $b)) (local.get $mag)))))
          (f64.store offset=32 (local.get $a) (f64.sub (f64.load offset=32 (local.get $a))
            (f64.mul (local.get $dy) (f64.mul (f64.load offset=48 (local.get $b)) (local.get $mag)))))
          (f64.store offset=40 (local.get $a) (f64.sub (f64.load offset=40 (local.get $a))
            (f64.mul (local.get $dz) (f64.mul (f64.load offset=48 (local.get $b)) (local.get $mag)))))
          (f64.store offset=24 (local.get $b) (f64.add (f64.load offset=24 (local.get $b))
            (f64.mul (local.get $dx) (f64.mul (f64.load offset=48 (local.get $a)) (local.get $mag)))))
          (f64.store offset=32 (local.get $b) (f64.add (f64.load offset=32 (local.get $b))
            (f64.mul (local.get $dy) (f64.mul (f64.load offset=48 (local.get $a)) (local.get $mag)))))
          (f64.store offset=40 (local.get $b) (f64.add (f64.load offset=40 (local.get $b))
            (f64.mul (local.get $dz) (f64.mul (f64.load offset=48 (local.get $a)) (local.get $mag)))))
          (local.set $b (i32.add (local.get $b) (i32.const 56)))
          (br $inner)))
      (br_if $outer (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 56))) (i32.const 280))))
    (local.set $a (i32.const 0))
    (loop $move
      (f64.store (local.get $a) (f64.add (f64.load (local.get $a))
        (f64.mul (f64.const 0.01) (f64.load offset=24 (local.get $a)))))
      (f64.store offset=8 (local.get $a) (f64.add (f64.load offset=8 (local.get $a))
        (f64.mul (f64.const 0.01) (f64.load offset=32 (local.get $a)))))
      (f64.store offset=16 (local.get $a) (f64.add (f64.load offset=16 (local.get $a))
        (f64.mul (f64.const 0.01) (f64.load offset=40 (local.get $a)))))
      (br_if $move (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 56))) (i32.const 280)))))

  (func (export "run") (param $steps i32) (result i32)
    (local $a i32) (local $n f64)
    (loop $begin
      (local.set $n (f64.convert_i32_u (i32.add (local.get $a) (i32.const 56))))
      (f64.store (local.get $a) (f64.div (local.get $n) (f64.const 40)))
      (f64.store offset=8 (local.get $a) (f64.sub (f64.div (local.get $n) (f64.const 17)) (f64.const 4)))
      (f64.store offset=16 (local.get $a) (f64.div (f64.const 100) (local.get $n)))
      (f64.store offset=24 (local.get $a) (f64.const 0.1))
      (f64.store offset=32 (local.get $a) (f64.div (f64.const 1) (local.get $n)))
      (f64.store offset=40 (local.get $a) (f64.const -0.1))
      (f64.store offset=48 (local.get $a) (f64.div (f64.const 60) (local.get $n)))
      (br_if $begin (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 56))) (i32.const 280))))
    (loop $again
      (call $advance)
      (br_if $again (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (i32.wrap_i64 (i64.reinterpret_f64 (f64.load (i32.const 0))))))
