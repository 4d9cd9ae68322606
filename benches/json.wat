;; A reader of JSON: bytes, a table of branches, numbers, recursion for what is nested.
(module
  (memory 16)
  (data $text "{\"name\": \"tenon\", \"sizes\": [1, 22, 333, -4444], \"nested\": {\"yes\": true, \"no\": false, \"none\": null}},\n")
  (global $at (mut i32) (i32.const 0))
  (global $sum (mut i32) (i32.const 0))

  (func $space
    (loop $again
      (if (i32.le_u (i32.sub (i32.load8_u (global.get $at)) (i32.const 1)) (i32.const 31))
        (then (global.set $at (i32.add (global.get $at) (i32.const 1))) (br $again)))))

  (func $string
    (local $c i32)
    (loop $again
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (local.set $c (i32.load8_u (global.get $at)))
      (if (i32.ne (local.get $c) (i32.const 34))
        (then
          (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 31)) (local.get $c)))
          (br $again))))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))

  (func $number
    (local $value i32) (local $c i32)
    (loop $again
      (local.set $c (i32.sub (i32.load8_u (global.get $at)) (i32.const 48)))
      (if (i32.lt_u (local.get $c) (i32.const 10))
        (then
          (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (local.get $c)))
          (global.set $at (i32.add (global.get $at) (i32.const 1)))
          (br $again))))
    (global.set $sum (i32.xor (global.get $sum) (local.get $value))))

  ;; What comes in brackets; in braces each value has a name in front.
  (func $list (param $named i32) (param $end i32)
    (block $done
      (loop $again
        (global.set $at (i32.add (global.get $at) (i32.const 1)))
        (call $space)
        (br_if $done (i32.eq (i32.load8_u (global.get $at)) (local.get $end)))
        (if (local.get $named)
          (then
            (call $string)
            (global.set $at (i32.add (global.get $at) (i32.const 1)))
            (call $space)))
        (call $value)
        (call $space)
        (br_if $again (i32.eq (i32.load8_u (global.get $at)) (i32.const 44)))))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))

  (func $value
    (block $other
      (block $number
        (block $minus
          (block $string
            (block $brace
              (block $bracket
                (br_if $brace (i32.eq (i32.load8_u (global.get $at)) (i32.const 123)))
                (br_if $bracket (i32.eq (i32.load8_u (global.get $at)) (i32.const 91)))
                (br_table $string $other $other $other $other $other $other $other $other $other $other $minus $other
                  $other $number $number $number $number $number $number $number $number $number $number $other
                  (i32.sub (i32.load8_u (global.get $at)) (i32.const 34))))
              (call $list (i32.const 0) (i32.const 93))
              (return))
            (call $list (i32.const 1) (i32.const 125))
            (return))
          (call $string)
          (return))
        (global.set $at (i32.add (global.get $at) (i32.const 1))))
      (call $number)
      (return))
    ;; true, false, null
    (loop $letters
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (br_if $letters (i32.lt_u (i32.sub (i32.load8_u (global.get $at)) (i32.const 97)) (i32.const 26)))))

  (func (export "run") (param $count i32) (result i32)
    (local $i i32)
    (local.set $i (i32.const 1))
    (i32.store8 (i32.const 0) (i32.const 91))
    (loop $write
      (memory.init $text (local.get $i) (i32.const 0) (i32.const 101))
      (br_if $write (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 101))) (i32.const 1000000))))
    (i32.store8 (i32.sub (local.get $i) (i32.const 2)) (i32.const 93))
    (global.set $sum (i32.const 0))
    (loop $again
      (global.set $at (i32.const 0))
      (call $value)
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (i32.add (global.get $sum) (global.get $at))))
