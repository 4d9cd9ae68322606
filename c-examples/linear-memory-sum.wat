;; A module that works on a memory which the host creates.
(module
  (import "js" "mem" (memory 1))

  ;; The sum of the first $count 32-bit numbers of the memory.
  (func (export "sum") (param $count i32) (result i32)
    (local $address i32)
    (local $end i32)
    (local $sum i32)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $address) (local.get $end)))
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $address))))
        (local.set $address (i32.add (local.get $address) (i32.const 4)))
        (br $next)))
    (local.get $sum))

  ;; Grows the memory without telling the host; the result is the size before.
  (func (export "grow") (param $pages i32) (result i32)
    (memory.grow (local.get $pages)))
)
