;; Two functions that call each other in tail position: neither leaves a frame behind, however deep they go.
;; Each number of rounds is of a hundred million calls.
(module
  (type $step (func (param i64) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $even $odd)
  (elem declare func $even $odd)

  (func $even (type $step) (param $n i64) (result i32)
    (if (i64.eqz (local.get $n)) (then (return (i32.const 1))))
    (return_call $odd (i64.sub (local.get $n) (i64.const 1))))

  (func $odd (type $step) (param $n i64) (result i32)
    (if (i64.eqz (local.get $n)) (then (return (i32.const 0))))
    (return_call $even (i64.sub (local.get $n) (i64.const 1))))

  (func (export "is_even") (param $n i64) (result i32)
    (return_call $even (local.get $n)))

  ;; The same through a table and through references.
  (func $by_table (export "is_even_by_table") (param $n i64) (param $function i32) (result i32)
    (if (i64.eqz (local.get $n))
      (then (return_call_indirect (type $step) (i64.const 0) (local.get $function))))
    (return_call $by_table
      (i64.sub (local.get $n) (i64.const 1))
      (i32.sub (i32.const 1) (local.get $function))))

  (func $by_ref (param $n i64) (param $this (ref $step)) (param $other (ref $step)) (result i32)
    (if (i64.eqz (local.get $n))
      (then (return_call_ref $step (i64.const 0) (local.get $this))))
    (return_call $by_ref
      (i64.sub (local.get $n) (i64.const 1)) (local.get $other) (local.get $this)))

  (func (export "is_even_by_ref") (param $n i64) (result i32)
    (return_call $by_ref (local.get $n) (ref.func $even) (ref.func $odd)))
)
