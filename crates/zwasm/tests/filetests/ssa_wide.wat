;; A product of 128 bits in parts of 32, as compilers write it, is one multiplication.
;;! ssa build dce
(module
  (memory 1)
  (func $multiply (param $to i32) (param $a i64) (param $b i64)
    (local $low i64) (local $t i64) (local $s i64)
    (local.set $low
      (i64.mul
        (i64.and (local.get $a) (i64.const 0xffffffff))
        (i64.and (local.get $b) (i64.const 0xffffffff))))
    (local.set $t
      (i64.add
        (i64.mul
          (i64.shr_u (local.get $a) (i64.const 32))
          (i64.and (local.get $b) (i64.const 0xffffffff)))
        (i64.shr_u (local.get $low) (i64.const 32))))
    (local.set $s
      (i64.add
        (i64.mul
          (i64.and (local.get $a) (i64.const 0xffffffff))
          (i64.shr_u (local.get $b) (i64.const 32)))
        (i64.and (local.get $t) (i64.const 0xffffffff))))
    (i64.store offset=8 (local.get $to)
      (i64.add
        (i64.add
          (i64.mul
            (i64.shr_u (local.get $a) (i64.const 32))
            (i64.shr_u (local.get $b) (i64.const 32)))
          (i64.shr_u (local.get $t) (i64.const 32)))
        (i64.shr_u (local.get $s) (i64.const 32))))
    (i64.store (local.get $to)
      (i64.or
        (i64.shl (local.get $s) (i64.const 32))
        (i64.and (local.get $low) (i64.const 0xffffffff))))))
;;! expected
;; build: function f0 <multiply>:
;; b0(v0: i32, v1: i64, v2: i64):
;;   v3: i64 = const 0xffffffff
;;   v7: i64 = const 0x20
;;   v4: i64 = i64.and v1, v3
;;   v5: i64 = i64.and v2, v3
;;   v6: i64 = i64.mul v4, v5
;;   v8: i64 = i64.shr_u v1, v7
;;   v9: i64 = i64.and v2, v3
;;   v10: i64 = i64.mul v8, v9
;;   v11: i64 = i64.shr_u v6, v7
;;   v12: i64 = i64.add v10, v11
;;   v13: i64 = i64.and v1, v3
;;   v14: i64 = i64.shr_u v2, v7
;;   v15: i64 = i64.mul v13, v14
;;   v16: i64 = i64.and v12, v3
;;   v17: i64 = i64.add v15, v16
;;   v18: i64 = i64.shr_u v1, v7
;;   v19: i64 = i64.shr_u v2, v7
;;   v20: i64 = i64.mul v18, v19
;;   v21: i64 = i64.shr_u v12, v7
;;   v22: i64 = i64.add v20, v21
;;   v23: i64 = i64.shr_u v17, v7
;;   v24: i64 = i64.add v22, v23
;;   v25: i64 = memory.base m0
;;   i64.store m0+0x8 v25, v0, v24
;;   v26: i64 = i64.shl v17, v7
;;   v27: i64 = i64.and v6, v3
;;   v28: i64 = i64.or v26, v27
;;   i64.store m0+0x0 v25, v0, v28
;;   return
;; dce: function f0 <multiply>:
;; b0(v0: i32, v1: i64, v2: i64):
;;   v34: i64, v35: i64 = i64.mul_wide_u v1, v2
;;   v25: i64 = memory.base m0
;;   i64.store m0+0x8 v25, v0, v35
;;   i64.store m0+0x0 v25, v0, v34
;;   return
