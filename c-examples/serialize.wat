;; Something to compile once and to load many times.
(module
  (func (export "gcd") (param $a i32) (param $b i32) (result i32)
    (local $rest i32)
    (loop $again
      (if (i32.eqz (local.get $b)) (then (return (local.get $a))))
      (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (local.set $b (local.get $rest))
      (br $again))
    unreachable)
)
