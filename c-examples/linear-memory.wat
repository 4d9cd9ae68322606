;; A module that brings a memory along, with a text in it.
(module
  (memory (export "memory") 1)

  ;; UTF-8: six characters in nine bytes.
  (data (i32.const 16) "x\e1\bb\8bn x\c3\b2")

  ;; Where the text lies and how many bytes it has.
  (func (export "text") (result i32 i32)
    (i32.const 16)
    (i32.const 9))
)
