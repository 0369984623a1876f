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
;;! expected
;; dce: function f0 <digits>:
;; b0(v0: i32):
;;   v1: i32 = const 0xa
;;   v5: i64 = i64.extend_i32_u v0
;;   v6: i64 = const 0xcccccccd
;;   v7: i64 = i64.mul v5, v6
;;   v8: i64 = const 0x23
;;   v9: i64 = i64.shr_u v7, v8
;;   v10: i32 = i32.wrap_i64 v9
;;   v18: i32 = i32.mul v10, v1
;;   v3: i32 = i32.sub v0, v18
;;   v4: i32 = i32.add v3, v10
;;   return v4
;; dce: function f1 <seven>:
;; b0(v0: i32):
;;   v3: i64 = i64.extend_i32_u v0
;;   v4: i64 = const 0x2492492492492493
;;   v5: i64, v6: i64 = i64.mul_wide_u v3, v4
;;   v7: i32 = i32.wrap_i64 v6
;;   return v7
;; dce: function f2 <signed>:
;; b0(v0: i64):
;;   v3: i64 = const 0xcccccccccccccccd
;;   v4: i64, v5: i64 = i64.mul_wide_s v0, v3
;;   v6: i64 = i64.add v0, v5
;;   v7: i64 = const 0x3
;;   v8: i64 = i64.shr_s v6, v7
;;   v9: i64 = const 0x3f
;;   v10: i64 = i64.shr_u v0, v9
;;   v11: i64 = i64.add v8, v10
;;   v12: i64 = const 0x0
;;   v13: i64 = i64.sub v12, v11
;;   return v13
;; dce: function f3 <shifted>:
;; b0(v0: i32):
;;   v3: i32 = const 0x3
;;   v4: i32 = i32.shr_s v0, v3
;;   v5: i32 = const 0x1c
;;   v6: i32 = i32.shr_u v4, v5
;;   v7: i32 = i32.add v0, v6
;;   v8: i32 = const 0x4
;;   v9: i32 = i32.shr_s v7, v8
;;   return v9
;; dce: function f4 <positive>:
;; b0(v0: i32):
;;   v1: i32 = const 0x4
;;   v2: i32 = i32.shr_u v0, v1
;;   v5: i32 = const 0x7
;;   v4: i32 = i32.and v2, v5
;;   return v4
;; dce: function f5 <narrow>:
;; b0(v0: i32, v1: i32):
;;   v7: i32 = i32.rem_u v0, v1
;;   v4: i64 = i64.extend_i32_u v7
;;   return v4
;; dce: function f6 <minus_one>:
;; b0(v0: i32):
;;   v1: i32 = const 0xffffffff
;;   v2: i32 = i32.div_s v0, v1
;;   return v2
