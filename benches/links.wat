;; Linked lists: made, turned round in place, mapped to new ones, taken apart into two and joined again.
(module
  (type $node (struct (field $value i32) (field $next (mut (ref null $node)))))

  (func $make (param $n i32) (result (ref null $node))
    (local $list (ref null $node))
    (loop $more
      (local.set $list (struct.new $node (local.get $n) (local.get $list)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $list))

  (func $reverse (param $list (ref null $node)) (result (ref null $node))
    (local $done (ref null $node)) (local $next (ref null $node))
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $next (struct.get $node $next (local.get $list)))
        (struct.set $node $next (local.get $list) (local.get $done))
        (local.set $done (local.get $list))
        (local.set $list (local.get $next))
        (br $more)))
    (local.get $done))

  ;; A new list of the values, each times three, in the other order.
  (func $map (param $list (ref null $node)) (result (ref null $node))
    (local $made (ref null $node))
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $made
          (struct.new $node
            (i32.mul (struct.get $node $value (local.get $list)) (i32.const 3))
            (local.get $made)))
        (local.set $list (struct.get $node $next (local.get $list)))
        (br $more)))
    (local.get $made))

  ;; Every other node before the rest.
  (func $split (param $list (ref null $node)) (result (ref null $node))
    (local $even (ref null $node)) (local $odd (ref null $node)) (local $next (ref null $node))
    (local $last (ref null $node))
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $next (struct.get $node $next (local.get $list)))
        (if (ref.is_null (local.get $even)) (then (local.set $last (local.get $list))))
        (struct.set $node $next (local.get $list) (local.get $even))
        (local.set $even (local.get $list))
        (br_if $end (ref.is_null (local.get $next)))
        (local.set $list (struct.get $node $next (local.get $next)))
        (struct.set $node $next (local.get $next) (local.get $odd))
        (local.set $odd (local.get $next))
        (br $more)))
    (if (i32.eqz (ref.is_null (local.get $last)))
      (then (struct.set $node $next (local.get $last) (local.get $odd))))
    (local.get $even))

  (func $sum (param $list (ref null $node)) (result i32)
    (local $sum i32)
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $sum
          (i32.add
            (i32.mul (local.get $sum) (i32.const 31))
            (struct.get $node $value (local.get $list))))
        (local.set $list (struct.get $node $next (local.get $list)))
        (br $more)))
    (local.get $sum))

  (func (export "run") (param $n i32) (result i32)
    (local $round i32) (local $sum i32) (local $list (ref null $node))
    (local.set $round (i32.const 50))
    (loop $rounds
      (local.set $list (call $make (local.get $n)))
      (local.set $list (call $reverse (local.get $list)))
      (local.set $list (call $map (call $map (local.get $list))))
      (local.set $list (call $split (local.get $list)))
      (local.set $sum (i32.add (local.get $sum) (call $sum (call $reverse (local.get $list)))))
      (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
    (local.get $sum)))
