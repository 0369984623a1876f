;; An address that has been compared with a length is not compared with less again.
;;! flags no-guards
;;! ssa dce
(module
  (memory 1)
  (func $fields (param $p i32) (param $c i32) (result i32)
    (i32.store offset=8 (local.get $p) (i32.const 1))
    (i32.store offset=4 (local.get $p) (i32.const 2))
    (if (local.get $c) (then (i32.store offset=12 (local.get $p) (i32.const 3))))
    ;; That was not on every way.
    (i32.store16 offset=14 (local.get $p) (i32.const 4))
    (drop (memory.grow (i32.const 1)))
    (i32.load offset=10 (local.get $p))))
;;! expected
;; dce: function f0 <fields>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x1
;;   v5: i32 = const 0x2
;;   v6: i32 = const 0x3
;;   v9: i32 = const 0x4
;;   v3: i64 = memory.base m0
;;   v4: i64 = memory.len m0
;;   i32.store m0+0x8 checked v3, v0, v4, v2
;;   i32.store m0+0x4 v3, v0, v5
;;   branch v1, b1, b2
;; b1:
;;   i32.store m0+0xc checked v3, v0, v4, v6
;;   jump b2
;; b2:
;;   i32.store16 m0+0xe checked v3, v0, v4, v9
;;   v12: i32 = handler [s0 = memory.grow m0 s0] v2
;;   v13: i64 = memory.base m0
;;   v15: i32 = i32.load m0+0xa v13, v0
;;   return v15
