;; A hash map as languages with classes have it: an array of chains of entries, made again twice as large when it is full.
(module
  (type $entry (struct (field $key i32) (field $value (mut i32)) (field $next (mut (ref null $entry)))))
  (type $table (array (mut (ref null $entry))))
  (type $map (struct (field $table (mut (ref $table))) (field $count (mut i32))))

  (func $hash (param $key i32) (result i32)
    (local.set $key (i32.mul (i32.xor (local.get $key) (i32.shr_u (local.get $key) (i32.const 16))) (i32.const 0x45d9f3b)))
    (i32.xor (local.get $key) (i32.shr_u (local.get $key) (i32.const 16))))

  (func $find (param $map (ref $map)) (param $key i32) (result (ref null $entry))
    (local $table (ref $table)) (local $at (ref null $entry))
    (local.set $table (struct.get $map $table (local.get $map)))
    (local.set $at
      (array.get $table (local.get $table)
        (i32.and (call $hash (local.get $key)) (i32.sub (array.len (local.get $table)) (i32.const 1)))))
    (loop $chain (result (ref null $entry))
      (if (ref.is_null (local.get $at)) (then (return (ref.null $entry))))
      (if (i32.eq (struct.get $entry $key (local.get $at)) (local.get $key)) (then (return (local.get $at))))
      (local.set $at (struct.get $entry $next (local.get $at)))
      (br $chain)))

  (func $grow (param $map (ref $map))
    (local $old (ref $table)) (local $new (ref $table)) (local $i i32) (local $at (ref null $entry)) (local $next (ref null $entry))
    (local $slot i32)
    (local.set $old (struct.get $map $table (local.get $map)))
    (local.set $new (array.new_default $table (i32.shl (array.len (local.get $old)) (i32.const 1))))
    (loop $each
      (local.set $at (array.get $table (local.get $old) (local.get $i)))
      (block $done
        (loop $chain
          (br_if $done (ref.is_null (local.get $at)))
          (local.set $next (struct.get $entry $next (local.get $at)))
          (local.set $slot
            (i32.and (call $hash (struct.get $entry $key (local.get $at)))
              (i32.sub (array.len (local.get $new)) (i32.const 1))))
          (struct.set $entry $next (local.get $at) (array.get $table (local.get $new) (local.get $slot)))
          (array.set $table (local.get $new) (local.get $slot) (local.get $at))
          (local.set $at (local.get $next))
          (br $chain)))
      (br_if $each
        (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $old)))))
    (struct.set $map $table (local.get $map) (local.get $new)))

  (func $count (param $map (ref $map)) (param $key i32)
    (local $at (ref null $entry)) (local $slot i32) (local $table (ref $table))
    (local.set $at (call $find (local.get $map) (local.get $key)))
    (if (ref.is_null (local.get $at))
      (then
        (if (i32.ge_u (struct.get $map $count (local.get $map)) (array.len (struct.get $map $table (local.get $map))))
          (then (call $grow (local.get $map))))
        (local.set $table (struct.get $map $table (local.get $map)))
        (local.set $slot
          (i32.and (call $hash (local.get $key)) (i32.sub (array.len (local.get $table)) (i32.const 1))))
        (array.set $table (local.get $table) (local.get $slot)
          (struct.new $entry (local.get $key) (i32.const 1) (array.get $table (local.get $table) (local.get $slot))))
        (struct.set $map $count (local.get $map)
          (i32.add (struct.get $map $count (local.get $map)) (i32.const 1))))
      (else
        (struct.set $entry $value (local.get $at)
          (i32.add (struct.get $entry $value (local.get $at)) (i32.const 1))))))

  (func (export "run") (param $n i32) (result i32)
    (local $map (ref $map)) (local $i i32) (local $key i32) (local $sum i32)
    (local.set $map (struct.new $map (array.new_default $table (i32.const 16)) (i32.const 0)))
    (local.set $i (local.get $n))
    (local.set $key (i32.const 1))
    (loop $more
      (local.set $key (i32.add (i32.mul (local.get $key) (i32.const 1664525)) (i32.const 1013904223)))
      (call $count (local.get $map) (i32.shr_u (local.get $key) (i32.const 17)))
      (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (local.set $i (i32.const 32768))
    (loop $ask
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (block $none
        (local.set $sum
          (i32.add (i32.mul (local.get $sum) (i32.const 31))
            (struct.get $entry $value (br_on_null $none (call $find (local.get $map) (local.get $i)))))))
      (br_if $ask (local.get $i)))
    (local.get $sum)))
