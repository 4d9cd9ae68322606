;; Vectors of doubles and masks: the Mandelbrot set, two points at a time, until both have left it.
(module
  (func (export "run") (param $size i32) (result i32)
    (local $x i32) (local $y i32) (local $left i32) (local $total v128) (local $count v128)
    (local $re v128) (local $im v128) (local $zr v128) (local $zi v128) (local $rr v128)
    (local $ii v128) (local $inside v128) (local $step f64)
    (local.set $step (f64.div (f64.const 3) (f64.convert_i32_s (local.get $size))))
    (loop $rows
      (local.set $x (i32.const 0))
      (local.set $im (f64x2.splat (f64.sub
        (f64.mul (f64.convert_i32_s (local.get $y)) (local.get $step)) (f64.const 1.5))))
      (loop $columns
        (local.set $re (f64x2.splat (f64.sub
          (f64.mul (f64.convert_i32_s (local.get $x)) (local.get $step)) (f64.const 2.25))))
        (local.set $re (f64x2.replace_lane 1 (local.get $re)
          (f64.add (f64x2.extract_lane 0 (local.get $re)) (local.get $step))))
        (local.set $zr (v128.const i64x2 0 0))
        (local.set $zi (v128.const i64x2 0 0))
        (local.set $count (v128.const i64x2 0 0))
        (local.set $left (i32.const 100))
        (block $out
          (loop $iterate
            (local.set $rr (f64x2.mul (local.get $zr) (local.get $zr)))
            (local.set $ii (f64x2.mul (local.get $zi) (local.get $zi)))
            (local.set $inside
              (f64x2.le (f64x2.add (local.get $rr) (local.get $ii)) (v128.const f64x2 4 4)))
            (br_if $out (i32.eqz (v128.any_true (local.get $inside))))
            (local.set $count (i64x2.sub (local.get $count) (local.get $inside)))
            (local.set $zi (f64x2.add (local.get $im)
              (f64x2.mul (v128.const f64x2 2 2) (f64x2.mul (local.get $zr) (local.get $zi)))))
            (local.set $zr (f64x2.add (local.get $re) (f64x2.sub (local.get $rr) (local.get $ii))))
            (br_if $iterate (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (local.set $total (i64x2.add (local.get $total) (local.get $count)))
        (br_if $columns
          (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 2))) (local.get $size))))
      (br_if $rows
        (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $size))))
    (i32.wrap_i64 (i64.add
      (i64x2.extract_lane 0 (local.get $total)) (i64x2.extract_lane 1 (local.get $total)))))
)
