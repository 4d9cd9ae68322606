;; A guest that catches what the host throws, and throws what the host catches.
(module
  (import "bank" "refused" (tag $refused (param i32)))
  (import "bank" "withdraw" (func $withdraw (param i32) (result i32)))
  (tag $negative (export "negative") (param i32 f64))

  ;; The host throws, the guest catches: minus the reason.
  (func (export "try_to_withdraw") (param $amount i32) (result i32)
    (block $caught (result i32)
      (return
        (try_table (result i32) (catch $refused $caught)
          (call $withdraw (local.get $amount)))))
    (i32.mul (i32.const -1)))

  ;; The host throws, the guest does not catch: the exception goes on to whoever called.
  (func (export "withdraw") (param $amount i32) (result i32)
    (call $withdraw (local.get $amount)))

  ;; The guest throws, the host catches.
  (func (export "deposit") (param $amount i32)
    (if (i32.lt_s (local.get $amount) (i32.const 0))
      (then (throw $negative (local.get $amount) (f64.const 0.5))))))
