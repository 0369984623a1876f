;; A function may return several values; the command prints each on a line.
;;
;; run: zwasm examples/wat/20_multi_return.wat --invoke divide 17 5
;; expect: 3
;; expect: 2
;; run: zwasm examples/wat/20_multi_return.wat --invoke sort 9 4
;; expect: 4
;; expect: 9
(module
  ;; Quotient and remainder.
  (func (export "divide") (param $a i32) (param $b i32) (result i32 i32)
    (i32.div_s (local.get $a) (local.get $b))
    (i32.rem_s (local.get $a) (local.get $b)))

  (func $swap (param $a i32) (param $b i32) (result i32 i32)
    (local.get $b)
    (local.get $a))

  ;; The results of one call are the operands of what follows it, or of a return.
  (func (export "sort") (param $a i32) (param $b i32) (result i32 i32)
    (if (i32.gt_s (local.get $a) (local.get $b))
      (then (return (call $swap (local.get $a) (local.get $b)))))
    (local.get $a)
    (local.get $b)))
