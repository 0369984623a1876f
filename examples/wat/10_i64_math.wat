;; Arithmetic with 64-bit integers: the greatest common divisor by Euclid's
;; remainders, and powers modulo m by squaring. Moduli below 2^32 keep the
;; products within 64 bits.
;;
;; run: zwasm examples/wat/10_i64_math.wat --invoke gcd 1071000000000 462000000000
;; expect: 21000000000
;; run: zwasm examples/wat/10_i64_math.wat --invoke power_mod 3 200 1000000007
;; expect: 136318165
(module
  (func (export "gcd") (param $a i64) (param $b i64) (result i64)
    (local $rest i64)
    (loop $next
      (if (i64.ne (local.get $b) (i64.const 0))
        (then
          (local.set $rest (i64.rem_u (local.get $a) (local.get $b)))
          (local.set $a (local.get $b))
          (local.set $b (local.get $rest))
          (br $next))))
    (local.get $a))

  (func (export "power_mod") (param $base i64) (param $power i64) (param $m i64) (result i64)
    (local $product i64)
    (local.set $product (i64.const 1))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $power)))
        (if (i64.ne (i64.and (local.get $power) (i64.const 1)) (i64.const 0))
          (then
            (local.set $product
              (i64.rem_u
                (i64.mul (local.get $product) (local.get $base))
                (local.get $m)))))
        (local.set $base
          (i64.rem_u (i64.mul (local.get $base) (local.get $base)) (local.get $m)))
        (local.set $power (i64.shr_u (local.get $power) (i64.const 1)))
        (br $next)))
    (local.get $product)))
