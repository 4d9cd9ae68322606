;; The module that owns the memory. The host registers its instance under the name "extern".
(module
  (memory (export "memory") 1)

  (func (export "mem_size") (result i32)
    memory.size)

  (func (export "get_at") (param $address i32) (result i32)
    (i32.load (local.get $address)))

  (func (export "set_at") (param $address i32) (param $value i32)
    (i32.store (local.get $address) (local.get $value)))
)
