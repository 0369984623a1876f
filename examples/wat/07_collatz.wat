;; Counts the steps from n to 1 when an even number is halved and an odd one
;; becomes 3n + 1. Nobody knows whether every number gets there.
;;
;; run: zwasm examples/wat/07_collatz.wat --invoke collatz 27
;; expect: 111
(module
  (func (export "collatz") (param $n i64) (result i32)
    (local $steps i32)
    (block $done
      (loop $next
        (br_if $done (i64.le_u (local.get $n) (i64.const 1)))
        (if (i64.eqz (i64.and (local.get $n) (i64.const 1)))
          (then (local.set $n (i64.shr_u (local.get $n) (i64.const 1))))
          (else
            (local.set $n
              (i64.add (i64.mul (local.get $n) (i64.const 3)) (i64.const 1)))))
        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
        (br $next)))
    (local.get $steps)))
