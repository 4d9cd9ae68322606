;; One page of memory, and three functions to look at it from inside.
(module
  (memory $mem (export "memory") 1)

  ;; The size of the memory, in pages of 64 KiB.
  (func (export "mem_size") (result i32)
    memory.size $mem)

  ;; The 32-bit value at an address.
  (func (export "get_at") (param $address i32) (result i32)
    (i32.load (local.get $address)))

  ;; Stores a 32-bit value at an address.
  (func (export "set_at") (param $address i32) (param $value i32)
    (i32.store (local.get $address) (local.get $value)))
)
