;; Division by constants: a multiplication by the reciprocal, and the remainder shares it.
;;! ssa dce
(module
  (func $digits (param $x i32) (result i32)
    (i32.add
      (i32.div_u (local.get $x) (i32.const 10))
      (i32.rem_u (local.get $x) (i32.const 10))))
  (func $seven (param $x i32) (result i32)
    (i32.div_u (local.get $x) (i32.const 7)))
  (func $signed (param $x i64) (result i64)
    (i64.div_s (local.get $x) (i64.const -10)))
  (func $shifted (param $x i32) (result i32)
    (i32.div_s (local.get $x) (i32.const 16)))
  (func $positive (param $x i32) (result i32)
    (i32.rem_s (i32.shr_u (local.get $x) (i32.const 4)) (i32.const 8)))
  (func $narrow (param $x i32) (param $y i32) (result i64)
    (i64.rem_u (i64.extend_i32_u (local.get $x)) (i64.extend_i32_u (local.get $y))))
  (func $minus_one (param $x i32) (result i32)
    (i32.div_s (local.get $x) (i32.const -1))))
