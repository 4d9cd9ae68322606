;; A string in memory, and a function that says where it lies.
(module
  (memory (export "mem") 1)
  (data (i32.const 42) "Hello, World!")

  ;; A string leaves the guest as two numbers: its offset and its length in bytes.
  (func (export "load") (result i32 i32)
    (i32.const 42)
    (i32.const 13))
)
