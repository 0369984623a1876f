;; Initial values of globals and the places of segments are constant expressions:
;; besides constants and earlier globals they may add, subtract and multiply.
;; A layout can so be written down once, in terms of its parts.
;;
;; run: zwasm examples/wat/26_extended_const.wat --invoke last_row
;; expect: 1264
;; expect: 99
(module
  (global $start i32 (i32.const 1024))
  (global $row_bytes i32 (i32.const 80))
  (global $rows i32 (i32.const 4))
  (global $last i32
    (i32.add
      (global.get $start)
      (i32.mul
        (global.get $row_bytes)
        (i32.sub (global.get $rows) (i32.const 1)))))

  (memory 1)
  (data (global.get $last) "c")

  ;; The address of the last row and its first byte.
  (func (export "last_row") (result i32 i32)
    (global.get $last)
    (i32.load8_u (global.get $last))))
