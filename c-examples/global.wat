;; Globals: one imported constant, one imported variable, one of the module's own.
(module
  (import "config" "step" (global $step i32))
  (import "config" "counter" (global $counter (mut i64)))
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (global (export "ratio") f64 (f64.const 1.5))

  ;; Adds the step to the counter and counts the calls.
  (func (export "advance")
    (global.set $counter
      (i64.add (global.get $counter) (i64.extend_i32_s (global.get $step))))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
)
