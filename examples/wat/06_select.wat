;; `select` takes the first or the second of two values, by a condition. Unlike
;; the arms of an `if`, both values are computed, so it suits what is cheap and
;; has no effects.
;;
;; run: zwasm examples/wat/06_select.wat --invoke max 3 9
;; expect: 9
;; run: zwasm examples/wat/06_select.wat --invoke clamp 250 0 100
;; expect: 100
(module
  (func $max (export "max") (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.gt_s (local.get $a) (local.get $b))))

  (func $min (export "min") (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_s (local.get $a) (local.get $b))))

  (func (export "clamp") (param $n i32) (param $low i32) (param $high i32) (result i32)
    (call $max (local.get $low) (call $min (local.get $n) (local.get $high)))))
