;; A search tree that grows by keys in a random order and is not balanced, whose nodes are also in a list by age, which is
;; walked and cut in the middle. At each node it is a toss-up whether left or right comes next.
(module
  (type $node
    (struct
      (field $key i32)
      (field $count (mut i32))
      (field $left (mut (ref null $node)))
      (field $right (mut (ref null $node)))
      (field $older (mut (ref null $node)))))

  ;; The node with the key, made and put into its place if there is none.
  (func $insert (param $root (ref $node)) (param $key i32) (param $older (ref null $node)) (result (ref null $node))
    (local $at (ref null $node)) (local $next (ref null $node)) (local $here i32)
    (local.set $at (local.get $root))
    (loop $down
      (local.set $here (struct.get $node $key (local.get $at)))
      (if (i32.eq (local.get $key) (local.get $here))
        (then
          (struct.set $node $count (local.get $at)
            (i32.add (struct.get $node $count (local.get $at)) (i32.const 1)))
          (return (local.get $older))))
      (if (i32.lt_u (local.get $key) (local.get $here))
        (then (local.set $next (struct.get $node $left (local.get $at))))
        (else (local.set $next (struct.get $node $right (local.get $at)))))
      (if (i32.eqz (ref.is_null (local.get $next)))
        (then
          (local.set $at (local.get $next))
          (br $down))))
    (local.set $next
      (struct.new $node
        (local.get $key) (i32.const 1) (ref.null $node) (ref.null $node) (local.get $older)))
    (if (i32.lt_u (local.get $key) (local.get $here))
      (then (struct.set $node $left (local.get $at) (local.get $next)))
      (else (struct.set $node $right (local.get $at) (local.get $next))))
    (local.get $next))

  (func $random (param $x i32) (result i32)
    (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))

  (func (export "run") (param $n i32) (result i32)
    (local $round i32) (local $i i32) (local $key i32) (local $sum i32)
    (local $root (ref null $node)) (local $newest (ref null $node)) (local $at (ref null $node))
    (local.set $round (i32.const 10))
    (loop $rounds
      (local.set $root
        (struct.new $node
          (i32.const 0x80000000) (i32.const 1) (ref.null $node) (ref.null $node) (ref.null $node)))
      (local.set $newest (local.get $root))
      (local.set $i (local.get $n))
      (local.set $key (i32.const 1))
      (loop $more
        (local.set $key (call $random (local.get $key)))
        (local.set $newest
          (call $insert (ref.as_non_null (local.get $root)) (local.get $key) (local.get $newest)))
        (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      ;; Through the list, as far as half of it.
      (local.set $at (local.get $newest))
      (local.set $i (i32.shr_u (local.get $n) (i32.const 1)))
      (loop $back
        (local.set $sum
          (i32.add
            (local.get $sum)
            (i32.xor (struct.get $node $key (local.get $at)) (struct.get $node $count (local.get $at)))))
        (local.set $at (struct.get $node $older (local.get $at)))
        (br_if $back (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (struct.set $node $older (local.get $at) (ref.null $node))
      (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
    (local.get $sum)))
