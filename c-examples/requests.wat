;; A request handler that keeps a little state, which no other request must ever see.
(module
  (memory (export "memory") 1)
  ;; How many requests this instance has served, and what it answers with first.
  (data (i32.const 16) "\00\00\00\00")
  (data (i32.const 32) "you said: ")

  ;; Where a request is to be written.
  (global (export "request") i32 (i32.const 1024))
  ;; Where the answer stands.
  (global (export "answer") i32 (i32.const 32))

  ;; The number of requests served.
  (func (export "served") (result i32) (i32.load (i32.const 16)))

  ;; Answers a request of `size` bytes: its letters, made large. Gives the answer's size.
  (func (export "handle") (param $size i32) (result i32)
    (local $i i32) (local $byte i32)
    (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $byte (i32.load8_u offset=1024 (local.get $i)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
          (then (local.set $byte (i32.sub (local.get $byte) (i32.const 32)))))
        (i32.store8 offset=42 (local.get $i) (local.get $byte))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.add (local.get $size) (i32.const 10)))
)
