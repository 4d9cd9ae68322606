;; A buffer that the host fills with text, and a function that lengthens the text.
(module
  (memory (export "memory") 1)

  (global $buffer i32 (i32.const 1024))
  (data $addition " Wasm is cool!")

  ;; Where the buffer begins.
  (func (export "get_wasm_memory_buffer_pointer") (result i32)
    (global.get $buffer))

  ;; Appends to a text of $length bytes in the buffer; the result is the new length.
  (func (export "add_wasm_is_cool") (param $length i32) (result i32)
    (memory.init $addition
      (i32.add (global.get $buffer) (local.get $length))
      (i32.const 0)
      (i32.const 14))
    (i32.add (local.get $length) (i32.const 14)))
)
