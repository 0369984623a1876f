;; Whether a number is prime, by trying divisors up to its root: 2, 3, and then
;; only the neighbours of the multiples of six.
;;
;; run: zwasm examples/wat/28_is_prime.wat --invoke is_prime 1000000007
;; expect: 1
;; run: zwasm examples/wat/28_is_prime.wat --invoke is_prime 91
;; expect: 0
(module
  (func $divides (param $d i64) (param $n i64) (result i32)
    (i64.eqz (i64.rem_u (local.get $n) (local.get $d))))

  (func (export "is_prime") (param $n i64) (result i32)
    (local $d i64)
    (if (i64.lt_s (local.get $n) (i64.const 4))
      (then (return (i64.gt_s (local.get $n) (i64.const 1)))))
    (if (i32.or
          (call $divides (i64.const 2) (local.get $n))
          (call $divides (i64.const 3) (local.get $n)))
      (then (return (i32.const 0))))
    (local.set $d (i64.const 5))
    (block $prime
      (loop $next
        (br_if $prime
          (i64.gt_u (i64.mul (local.get $d) (local.get $d)) (local.get $n)))
        (if (i32.or
              (call $divides (local.get $d) (local.get $n))
              (call $divides (i64.add (local.get $d) (i64.const 2)) (local.get $n)))
          (then (return (i32.const 0))))
        (local.set $d (i64.add (local.get $d) (i64.const 6)))
        (br $next)))
    (i32.const 1)))
