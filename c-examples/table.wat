;; A table of functions, and a function that calls through it.
(module
  (type $unary (func (param i32) (result i32)))

  (table $operations (export "operations") 2 8 funcref)
  (elem (i32.const 1) $double)

  (func $double (type $unary)
    (i32.mul (local.get 0) (i32.const 2)))

  (func $square (export "square") (type $unary)
    (i32.mul (local.get 0) (local.get 0)))

  ;; Calls the function number $index of the table.
  (func (export "apply") (param $index i32) (param $value i32) (result i32)
    (call_indirect $operations (type $unary) (local.get $value) (local.get $index)))
)
