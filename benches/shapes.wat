;; Objects with methods: each names its own in a table, which holds methods of two types, and nothing at first.
(module
  (type $get (func (param $this i32) (result i32)))
  (type $set (func (param $this i32) (param $value i32)))
  (memory 1)
  (table 9 9 funcref)
  (elem (i32.const 1) $area $border $weight $height $paint $move $scale $mark)

  (func $area (type $get) (i32.load offset=4 (local.get 0)))
  (func $border (type $get) (i32.mul (i32.load offset=4 (local.get 0)) (i32.const 5)))
  (func $weight (type $get) (i32.xor (i32.load offset=4 (local.get 0)) (i32.const 77)))
  (func $height (type $get) (i32.add (i32.load offset=4 (local.get 0)) (i32.load offset=8 (local.get 0))))
  (func $paint (type $set) (i32.store offset=8 (local.get 0) (local.get 1)))
  (func $move (type $set) (i32.store offset=8 (local.get 0) (i32.add (local.get 1) (i32.const 3))))
  (func $scale (type $set) (i32.store offset=8 (local.get 0) (i32.shl (local.get 1) (i32.const 1))))
  (func $mark (type $set) (i32.store offset=8 (local.get 0) (i32.xor (local.get 1) (i32.const 255))))

  (func (export "run") (param $count i32) (result i32)
    (local $i i32) (local $this i32) (local $sum i32)
    (loop $make
      (i32.store (local.get $this) (i32.and (i32.mul (local.get $i) (i32.const 7)) (i32.const 3)))
      (i32.store offset=4 (local.get $this) (local.get $i))
      (local.set $this (i32.add (local.get $this) (i32.const 16)))
      (br_if $make (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (loop $again
      (local.set $this (i32.const 0))
      (loop $each
        (local.set $sum (i32.add (local.get $sum)
          (call_indirect (type $get) (local.get $this) (i32.add (i32.load (local.get $this)) (i32.const 1)))))
        (call_indirect (type $set) (local.get $this) (local.get $sum) (i32.add (i32.load (local.get $this)) (i32.const 5)))
        (br_if $each (i32.lt_u (local.tee $this (i32.add (local.get $this) (i32.const 16))) (i32.const 16384))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum)))
