;; One side of a conversation through a shared memory. At 0: how many messages were sent; at 4: how many were received;
;; at 8: the message.
(module
  (import "env" "memory" (memory 1 1 shared))

  ;; Waits until the word at an address is not `old` any more.
  (func $await (param $address i32) (param $old i32)
    (loop $again
      (if (i32.eq (i32.atomic.load (local.get $address)) (local.get $old))
        (then
          (drop (memory.atomic.wait32 (local.get $address) (local.get $old) (i64.const -1)))
          (br $again)))))

  ;; Adds one to the word at an address and wakes who waits there.
  (func $advance (param $address i32)
    (drop (i32.atomic.rmw.add (local.get $address) (i32.const 1)))
    (drop (memory.atomic.notify (local.get $address) (i32.const 1))))

  ;; Sends 1, 2, ... `count`, each when the one before it was received.
  (func (export "send") (param $count i32)
    (local $i i32)
    (loop $next
      (i32.store (i32.const 8) (i32.add (local.get $i) (i32.const 1)))
      (call $advance (i32.const 0))
      (call $await (i32.const 4) (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $count)))))

  ;; Receives `count` messages and gives their sum.
  (func (export "receive") (param $count i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (call $await (i32.const 0) (local.get $i))
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 8))))
      (call $advance (i32.const 4))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $count))))
    (local.get $sum)))
