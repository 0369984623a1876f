;; A function that calls itself. The numbers are 64 bits wide, so results are
;; right up to factorial 20; after that they wrap around.
;;
;; run: zwasm examples/wat/04_factorial.wat --invoke factorial 10
;; expect: 3628800
(module
  (func $factorial (export "factorial") (param $n i64) (result i64)
    (if (result i64) (i64.le_s (local.get $n) (i64.const 1))
      (then (i64.const 1))
      (else
        (i64.mul
          (local.get $n)
          (call $factorial (i64.sub (local.get $n) (i64.const 1))))))))
