;; Vectors of 128 bits: one instruction works on four 32-bit numbers at once.
;; `sum` adds up the numbers in the memory four by four, and the four partial
;; sums at the end. On the command line a vector is one integer, whose lowest
;; bits are lane 0.
;;
;; run: zwasm examples/wat/29_simd_add.wat --invoke sum
;; expect: 136
;; run: zwasm examples/wat/29_simd_add.wat --invoke add 0x00000004000000030000000200000001 0x00000028000000280000002800000028
;; expect: 0x0000002c0000002b0000002a00000029
(module
  (memory 1)
  ;; The numbers from 1 to 16.
  (data (i32.const 0)
    "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00\05\00\00\00\06\00\00\00\07\00\00\00\08\00\00\00"
    "\09\00\00\00\0a\00\00\00\0b\00\00\00\0c\00\00\00\0d\00\00\00\0e\00\00\00\0f\00\00\00\10\00\00\00")

  (func (export "add") (param $a v128) (param $b v128) (result v128)
    (i32x4.add (local.get $a) (local.get $b)))

  (func (export "sum") (result i32)
    (local $at i32) (local $sums v128)
    (loop $next
      (local.set $sums (i32x4.add (local.get $sums) (v128.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 64))))
    (i32.add
      (i32.add
        (i32x4.extract_lane 0 (local.get $sums))
        (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add
        (i32x4.extract_lane 2 (local.get $sums))
        (i32x4.extract_lane 3 (local.get $sums))))))
