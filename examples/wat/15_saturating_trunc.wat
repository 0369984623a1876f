;; From floats to integers. The plain `trunc` traps when the number does not fit;
;; `trunc_sat` gives the nearest integer that does, and zero for what is not a
;; number.
;;
;; run: zwasm examples/wat/15_saturating_trunc.wat --invoke to_i32 -3.99
;; expect: -3
;; run: zwasm examples/wat/15_saturating_trunc.wat --invoke to_i32 1e10
;; expect: 2147483647
;; run: zwasm examples/wat/15_saturating_trunc.wat --invoke to_i32 nan
;; expect: 0
;; run: zwasm examples/wat/15_saturating_trunc.wat --invoke to_byte 300.5
;; expect: 255
(module
  (func (export "to_i32") (param $x f64) (result i32)
    (i32.trunc_sat_f64_s (local.get $x)))

  (func (export "to_byte") (param $x f64) (result i32)
    (local $n i32)
    (local.set $n (i32.trunc_sat_f64_u (local.get $x)))
    (select (local.get $n) (i32.const 255)
      (i32.lt_u (local.get $n) (i32.const 255)))))
