;; A memory with 64-bit addresses, of 6 GiB. Pages that nobody touches cost nothing.
(module
  (memory (export "memory") i64 0x18000 0x18001)

  (func (export "store") (param $address i64) (param $value i64)
    (i64.store (local.get $address) (local.get $value)))
  (func (export "load") (param $address i64) (result i64)
    (i64.load (local.get $address)))
  (func (export "grow") (param $pages i64) (result i64)
    (memory.grow (local.get $pages))))
