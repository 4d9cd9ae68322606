;; A small instance: one page, one function.
(module
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32)
    (i32.store (i32.const 16) (local.get 0))
    (i32.load (i32.const 16)))
)
