;; Memory: marks the multiples of each prime in a sieve of a megabyte, and counts what is left.
(module
  (memory 17)

  (func (export "run") (param $size i32) (result i32)
    (local $number i32) (local $multiple i32) (local $count i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get $size))
    (local.set $number (i32.const 2))
    (loop $numbers
      (if (i32.eqz (i32.load8_u (local.get $number)))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $multiple (i32.shl (local.get $number) (i32.const 1)))
          (block $done
            (loop $multiples
              (br_if $done (i32.ge_u (local.get $multiple) (local.get $size)))
              (i32.store8 (local.get $multiple) (i32.const 1))
              (local.set $multiple (i32.add (local.get $multiple) (local.get $number)))
              (br $multiples)))))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $numbers (i32.lt_u (local.get $number) (local.get $size))))
    (local.get $count))
)
