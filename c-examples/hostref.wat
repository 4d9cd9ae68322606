;; References to things of the host, kept and handed back by the guest, which cannot look inside.
(module
  (import "host" "describe" (func $describe (param externref)))

  (table $shelf (export "shelf") 4 externref)
  (global $favourite (mut externref) (ref.null extern))

  (func (export "put") (param $index i32) (param $thing externref)
    (table.set $shelf (local.get $index) (local.get $thing)))

  (func (export "take") (param $index i32) (result externref)
    (table.get $shelf (local.get $index))
    (table.set $shelf (local.get $index) (ref.null extern)))

  (func (export "prefer") (param $thing externref)
    (global.set $favourite (local.get $thing)))

  (func (export "describe_favourite")
    (call $describe (global.get $favourite)))
)
