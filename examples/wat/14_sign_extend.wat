;; A byte of 200 is -56 when its highest bit is read as a sign. The `extend`
;; instructions copy that bit into all the bits above it.
;;
;; run: zwasm examples/wat/14_sign_extend.wat --invoke byte 200
;; expect: -56
;; run: zwasm examples/wat/14_sign_extend.wat --invoke half 40000
;; expect: -25536
;; run: zwasm examples/wat/14_sign_extend.wat --invoke word 0xfffffff6
;; expect: -10
(module
  (func (export "byte") (param $n i32) (result i32)
    (i32.extend8_s (local.get $n)))

  (func (export "half") (param $n i32) (result i32)
    (i32.extend16_s (local.get $n)))

  (func (export "word") (param $n i64) (result i64)
    (i64.extend32_s (local.get $n))))
