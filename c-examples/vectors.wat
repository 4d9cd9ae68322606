;; Vectors of 128 bits that cross the boundary: four floats at a time.
(module
  (import "host" "trace" (func $trace (param v128) (result v128)))

  ;; Each lane of the first times that of the second, by way of the host.
  (func (export "scale") (param $v v128) (param $by v128) (result v128)
    (call $trace (f32x4.mul (local.get $v) (local.get $by))))

  ;; The sum of the lanes.
  (func (export "sum") (param $v v128) (result f32)
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $v)) (f32x4.extract_lane 1 (local.get $v)))
      (f32.add (f32x4.extract_lane 2 (local.get $v)) (f32x4.extract_lane 3 (local.get $v)))))
)
