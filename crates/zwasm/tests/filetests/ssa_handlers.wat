;; What is left to handlers has its operands in a scratch frame; accesses name the memory.
;;! ssa build
;;! flags no-guards
(module
  (memory 1)
  (func $fill (param $at i32) (param $len i32) (result i32)
    (memory.fill (local.get $at) (i32.const 7) (local.get $len))
    (drop (memory.grow (local.get $len)))
    (i32.load (local.get $at))
    (i32.store offset=4 (local.get $at) (i32.const 0)))
  (func $lanes (param $v v128) (param $x f32) (result v128)
    (f32x4.replace_lane 1 (local.get $v) (local.get $x))
    (v128.load offset=16 (i32.const 0))
    (i8x16.add)))
;;! expected
;; build: function f0 <fill>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x7
;;   v9: i32 = const 0x0
;;   v3: i64 = memory.base m0
;;   v4: i64 = memory.len m0
;;   memory.fill m0 v3, v4, v0, v2, v1
;;   v5: i32 = handler [s0 = memory.grow m0 s0] v1
;;   v6: i64 = memory.base m0
;;   v7: i64 = memory.len m0
;;   v8: i32 = i32.load m0+0x0 checked v6, v0, v7
;;   i32.store m0+0x4 checked v6, v0, v7, v9
;;   return v8
;; build: function f1 <lanes>:
;; b0(v0: v128, v1: f32):
;;   v3: i32 = const 0x0
;;   v2: v128 = v128.replace32 [1] v0, v1
;;   v4: i64 = memory.base m0
;;   v5: i64 = memory.len m0
;;   v6: v128 = v128.load m0+0x10 checked v4, v3, v5
;;   v7: v128 = i8x16.add v2, v6
;;   return v7
