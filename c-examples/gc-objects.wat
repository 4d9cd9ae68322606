;; A shop that keeps its goods in a linked list of structures. The host makes them, and reads what the shop makes.
(module
  (type $name (array (mut i8)))
  (type $item
    (sub final
      (struct
        (field $name (ref $name))
        (field $price i32)
        (field $count (mut i32))
        (field $next (mut (ref null $item))))))
  (type $bill (struct (field $total i64) (field $items i32) (field $dearest (ref null $item))))
  (global $stock (mut (ref null $item)) (ref.null $item))

  ;; Puts an item in front of the others.
  (func (export "add") (param $item (ref $item))
    (struct.set $item $next (local.get $item) (global.get $stock))
    (global.set $stock (local.get $item)))

  ;; What everything costs.
  (func (export "bill") (result (ref $bill))
    (local $at (ref null $item)) (local $total i64) (local $items i32) (local $dearest (ref null $item))
    (local.set $at (global.get $stock))
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $at)))
        (local.set $total
          (i64.add
            (local.get $total)
            (i64.extend_i32_s
              (i32.mul (struct.get $item $price (local.get $at)) (struct.get $item $count (local.get $at))))))
        (local.set $items (i32.add (local.get $items) (struct.get $item $count (local.get $at))))
        (if (ref.is_null (local.get $dearest))
          (then (local.set $dearest (local.get $at)))
          (else
            (if (i32.gt_s
                  (struct.get $item $price (local.get $at))
                  (struct.get $item $price (local.get $dearest)))
              (then (local.set $dearest (local.get $at))))))
        (local.set $at (struct.get $item $next (local.get $at)))
        (br $more)))
    (struct.new $bill (local.get $total) (local.get $items) (local.get $dearest)))

  ;; Sells all.
  (func (export "clear") (global.set $stock (ref.null $item))))
