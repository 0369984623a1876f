;; Single instructions made simpler: constants, masks, shifts, comparisons, extensions.
;;! ssa build dce
(module
  (func $identities (param $x i32) (param $y i32) (result i32)
    ;; ((x + 3) - 5) * 8 and (y | 0) ^ y, which is nothing
    (i32.add
      (i32.mul (i32.sub (i32.add (local.get $x) (i32.const 3)) (i32.const 5)) (i32.const 8))
      (i32.xor (i32.or (local.get $y) (i32.const 0)) (local.get $y))))
  (func $folded (result i64)
    (i64.mul (i64.extend_i32_s (i32.const -3)) (i64.rotl (i64.const 1) (i64.const 33))))
  (func $floats_stay (param $x f64) (result f64)
    ;; Neither x + 0 nor x * 1 is x if that is a NaN or -0.
    (f64.mul (f64.add (local.get $x) (f64.const 0)) (f64.const 1)))
  (func $masks (param $x i32) (result i32)
    ;; A byte needs no mask, and the sign extension does not matter below it.
    (i32.add
      (i32.and (i32.shr_u (local.get $x) (i32.const 24)) (i32.const 255))
      (i32.and (i32.extend8_s (local.get $x)) (i32.const 127))))
  (func $rotated (param $x i32) (result i32)
    (i32.or
      (i32.shl (local.get $x) (i32.const 7))
      (i32.shr_u (local.get $x) (i32.const 25))))
  (func $extended (param $x i32) (result i32)
    (i32.wrap_i64
      (i64.add (i64.extend_i32_u (local.get $x)) (i64.const 0x1_0000_0001))))
  (func $compared (param $x i32) (param $y i64) (result i32)
    (i32.and
      (i32.eqz (i32.lt_u (local.get $x) (i32.const 9)))
      (i64.lt_s (i64.extend_i32_u (local.get $x)) (i64.const 100))))
  (func $selected (param $x i32) (param $a i64) (param $b i64) (result i64)
    (select (local.get $a) (local.get $b) (i32.eqz (i32.eqz (local.get $x)))))
  (func $trap_stays (param $x i32) (result i32)
    (i32.div_u (local.get $x) (i32.const 0))))
