;; A choice with `if`: both branches leave one i32, the result of the block.
;; Arguments are read by the type of the parameter, so -7 needs no quoting.
;;
;; run: zwasm examples/wat/02_if_else.wat --invoke abs -7
;; expect: 7
(module
  (func (export "abs") (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 0))
      (then (i32.sub (i32.const 0) (local.get $n)))
      (else (local.get $n)))))
