;; Working with single bits: counting them, moving them around, finding the
;; highest. Arguments may be written in hexadecimal.
;;
;; run: zwasm examples/wat/12_bitwise.wat --invoke count_ones 0xff00ff
;; expect: 16
;; run: zwasm examples/wat/12_bitwise.wat --invoke swap_bytes 0x12345678
;; expect: 2018915346
;; run: zwasm examples/wat/12_bitwise.wat --invoke log2 1000000
;; expect: 19
;; run: zwasm examples/wat/12_bitwise.wat --invoke is_power_of_two 4096
;; expect: 1
(module
  (func (export "count_ones") (param $n i32) (result i32)
    (i32.popcnt (local.get $n)))

  ;; The four bytes in reverse: two of them are right after a rotation to the
  ;; left, the others after one to the right.
  (func (export "swap_bytes") (param $n i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $n) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $n) (i32.const 8)) (i32.const 0xff00ff00))))

  (func (export "log2") (param $n i32) (result i32)
    (i32.sub (i32.const 31) (i32.clz (local.get $n))))

  ;; Taking 1 away from such a number changes all of its bits.
  (func (export "is_power_of_two") (param $n i32) (result i32)
    (i32.and
      (i32.ne (local.get $n) (i32.const 0))
      (i32.eqz
        (i32.and (local.get $n) (i32.sub (local.get $n) (i32.const 1)))))))
