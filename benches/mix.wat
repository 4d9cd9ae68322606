;; Integers: rounds of rotation, addition and exclusive or over eight words, as hash functions do.
(module
  (func (export "run") (param $rounds i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local $e i32) (local $f i32) (local $g i32) (local $h i32)
    (local $t i32)
    (local.set $a (i32.const 0x243f6a88))
    (local.set $b (i32.const 0x85a308d3))
    (local.set $c (i32.const 0x13198a2e))
    (local.set $d (i32.const 0x03707344))
    (local.set $e (i32.const 0xa4093822))
    (local.set $f (i32.const 0x299f31d0))
    (local.set $g (i32.const 0x082efa98))
    (local.set $h (i32.const 0xec4e6c89))
    (loop $again
      (local.set $t
        (i32.add
          (i32.add (local.get $h) (local.get $rounds))
          (i32.add
            (i32.xor
              (i32.rotr (local.get $e) (i32.const 6))
              (i32.xor (i32.rotr (local.get $e) (i32.const 11)) (i32.rotr (local.get $e) (i32.const 25))))
            (i32.xor
              (i32.and (local.get $e) (local.get $f))
              (i32.and (i32.xor (local.get $e) (i32.const -1)) (local.get $g))))))
      (local.set $h (local.get $g))
      (local.set $g (local.get $f))
      (local.set $f (local.get $e))
      (local.set $e (i32.add (local.get $d) (local.get $t)))
      (local.set $d (local.get $c))
      (local.set $c (local.get $b))
      (local.set $b (local.get $a))
      (local.set $a
        (i32.add (local.get $t)
          (i32.add
            (i32.xor
              (i32.rotr (local.get $a) (i32.const 2))
              (i32.xor (i32.rotr (local.get $a) (i32.const 13)) (i32.rotr (local.get $a) (i32.const 22))))
            (i32.xor
              (i32.and (local.get $a) (local.get $c))
              (i32.xor (i32.and (local.get $a) (local.get $d)) (i32.and (local.get $c) (local.get $d)))))))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $again (local.get $rounds)))
    (i32.xor
      (i32.xor (local.get $a) (local.get $b))
      (i32.xor (local.get $e) (local.get $h))))
)
