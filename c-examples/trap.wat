;; Functions that fail, each in its own way, some calls deep.
(module $calculator
  (import "host" "check" (func $check (param i32)))
  (memory 1)

  (func $divide (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))

  (func $average (param $sum i32) (param $count i32) (result i32)
    (call $divide (local.get $sum) (local.get $count)))

  (func $nothing (export "average_of_nothing") (result i32)
    (call $average (i32.const 10) (i32.const 0)))

  (func $far (export "read_outside") (result i32)
    (i32.load (i32.const 0x10000)))

  (func $deep (export "recurse")
    (call $deep))

  (func $ask (export "ask_host")
    (call $check (i32.const 41)))
)
