;; From one type of number to another. Conversions are explicit: `wrap` drops
;; the upper half, `extend` fills it with the sign or zeroes, `convert` keeps the
;; value, `reinterpret` keeps the bits.
;;
;; run: zwasm examples/wat/13_type_convert.wat --invoke average 7 8
;; expect: 7.5
;; run: zwasm examples/wat/13_type_convert.wat --invoke low_half 0x1234567890
;; expect: 878082192
;; run: zwasm examples/wat/13_type_convert.wat --invoke unsigned -1
;; expect: 4294967295
;; run: zwasm examples/wat/13_type_convert.wat --invoke bits 1.5
;; expect: 1069547520
(module
  (func (export "average") (param $a i32) (param $b i32) (result f64)
    (f64.div
      (f64.add
        (f64.convert_i32_s (local.get $a))
        (f64.convert_i32_s (local.get $b)))
      (f64.const 2)))

  (func (export "low_half") (param $n i64) (result i32)
    (i32.wrap_i64 (local.get $n)))

  (func (export "unsigned") (param $n i32) (result i64)
    (i64.extend_i32_u (local.get $n)))

  (func (export "bits") (param $x f32) (result i32)
    (i32.reinterpret_f32 (local.get $x))))
