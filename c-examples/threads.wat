;; Work for several threads: each runs it in a store of its own.
(module
  (import "host" "report" (func $report (param i32)))

  ;; Counts the prime numbers in [$from, $to) and reports how many there are.
  (func (export "count_primes") (param $from i32) (param $to i32)
    (local $divisor i32)
    (local $count i32)
    (block $done
      (loop $numbers
        (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
        (block $composite
          (br_if $composite (i32.lt_u (local.get $from) (i32.const 2)))
          (local.set $divisor (i32.const 2))
          (block $prime
            (loop $divisors
              (br_if $prime
                (i32.gt_u
                  (i32.mul (local.get $divisor) (local.get $divisor))
                  (local.get $from)))
              (br_if $composite
                (i32.eqz (i32.rem_u (local.get $from) (local.get $divisor))))
              (local.set $divisor (i32.add (local.get $divisor) (i32.const 1)))
              (br $divisors)))
          (local.set $count (i32.add (local.get $count) (i32.const 1))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $numbers)))
    (call $report (local.get $count)))
)
