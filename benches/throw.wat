;; Exceptions that a function throws and its caller catches, with a value.
(module
  (tag $t (param i32))

  (func $throw (param i32)
    (throw $t (local.get 0)))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (block $caught (result i32)
        (try_table (catch $t $caught)
          (call $throw (local.get $n)))
        (unreachable))
      (local.set $sum (i32.add (local.get $sum)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (local.get $sum)))
