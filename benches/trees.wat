;; Binary trees: one that lives long, and many that do not, made, counted and dropped.
(module
  (type $tree (struct (field (ref null $tree)) (field (ref null $tree))))
  (global $long (mut (ref null $tree)) (ref.null $tree))

  (func $make (param $depth i32) (result (ref $tree))
    (if (result (ref $tree)) (local.get $depth)
      (then
        (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
        (struct.new $tree (call $make (local.get $depth)) (call $make (local.get $depth))))
      (else (struct.new $tree (ref.null $tree) (ref.null $tree)))))

  (func $count (param $tree (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (local.get $tree))
      (then (i32.const 0))
      (else
        (i32.add
          (i32.const 1)
          (i32.add
            (call $count (struct.get $tree 0 (local.get $tree)))
            (call $count (struct.get $tree 1 (local.get $tree))))))))

  ;; Trees of depths 4, 6, ... up to n, as many as make equal numbers of nodes.
  (func (export "run") (param $n i32) (result i32)
    (local $depth i32) (local $left i32) (local $sum i32)
    (global.set $long (call $make (local.get $n)))
    (local.set $depth (i32.const 4))
    (loop $depths
      (local.set $left (i32.shl (i32.const 1) (i32.sub (i32.add (local.get $n) (i32.const 4)) (local.get $depth))))
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (call $count (call $make (local.get $depth)))))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (local.set $depth (i32.add (local.get $depth) (i32.const 2)))
      (br_if $depths (i32.le_s (local.get $depth) (local.get $n))))
    (i32.add (local.get $sum) (call $count (global.get $long)))))
