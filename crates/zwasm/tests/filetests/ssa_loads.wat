;; What is known to be in a place is not loaded again.
;;! ssa loads
(module
  (import "host" "changes" (func $changes))
  (import "host" "one" (global $one (mut i32)))
  (import "host" "other" (global $other (mut i32)))
  (memory $m 1)
  (memory $n 1)
  (global $g (mut i32) (i32.const 0))
  (func $stored (param $p i32) (param $x i64) (result i64)
    (i64.store (local.get $p) (local.get $x))
    ;; Behind it, and in another memory.
    (i64.store offset=8 (local.get $p) (i64.const 1))
    (i64.store $n (local.get $p) (i64.const 2))
    (i64.add (i64.load (local.get $p)) (i64.load8_s (local.get $p))))
  (func $overlapping (param $p i32) (param $x i64) (result i64)
    (i64.store (local.get $p) (local.get $x))
    (i32.store8 offset=7 (local.get $p) (i32.const 1))
    (i64.load (local.get $p)))
  (func $elsewhere (param $p i32) (param $q i32) (param $x i64) (result i64)
    (i64.store (local.get $p) (local.get $x))
    (i64.store (local.get $q) (i64.const 1))
    (i64.load (local.get $p)))
  (func $joined (param $p i32) (param $c i32) (result i32)
    (if (local.get $c)
      (then (i32.store offset=4 (local.get $p) (i32.load (local.get $p))))
      (else (drop (i32.load (local.get $p)))))
    ;; Of two values there is none that both know.
    (i32.load (local.get $p)))
  (func $around (param $p i32) (param $n i32) (result i32) (local $sum i32)
    (local.set $sum (i32.load (local.get $p)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $p))))
      (i32.store offset=4 (local.get $p) (local.get $sum))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func $globals (result i32)
    (global.set $g (i32.const 7))
    (global.set $one (i32.const 8))
    ;; It may be the same one.
    (global.set $other (i32.const 9))
    (i32.add (global.get $g) (global.get $one)))
  (func $called (result i32)
    (global.set $g (i32.const 7))
    (call $changes)
    (global.get $g)))
;;! expected
;; loads: function f1 <stored>:
;; b0(v0: i32, v1: i64):
;;   v3: i64 = const 0x1
;;   v4: i64 = const 0x2
;;   v2: i64 = memory.base m0
;;   i64.store m0+0x0 v2, v0, v1
;;   i64.store m0+0x8 v2, v0, v3
;;   v5: i64 = memory.base m1
;;   i64.store m1+0x0 v5, v0, v4
;;   v10: i64 = i64.extend8_s v1
;;   v9: i64 = i64.add v1, v10
;;   return v9
;; loads: function f2 <overlapping>:
;; b0(v0: i32, v1: i64):
;;   v3: i32 = const 0x1
;;   v2: i64 = memory.base m0
;;   i64.store m0+0x0 v2, v0, v1
;;   i32.store8 m0+0x7 v2, v0, v3
;;   v4: i64 = i64.load m0+0x0 v2, v0
;;   return v4
;; loads: function f3 <elsewhere>:
;; b0(v0: i32, v1: i32, v2: i64):
;;   v4: i64 = const 0x1
;;   v3: i64 = memory.base m0
;;   i64.store m0+0x0 v3, v0, v2
;;   i64.store m0+0x0 v3, v1, v4
;;   v5: i64 = i64.load m0+0x0 v3, v0
;;   return v5
;; loads: function f4 <joined>:
;; b0(v0: i32, v1: i32):
;;   branch v1, b1, b2
;; b1:
;;   v2: i64 = memory.base m0
;;   v3: i32 = i32.load m0+0x0 v2, v0
;;   i32.store m0+0x4 v2, v0, v3
;;   jump b3
;; b2:
;;   v4: i64 = memory.base m0
;;   v5: i32 = i32.load m0+0x0 v4, v0
;;   jump b3
;; b3:
;;   v6: i64 = memory.base m0
;;   v7: i32 = i32.load m0+0x0 v6, v0
;;   return v7
;; loads: function f5 <around>:
;; b0(v0: i32, v1: i32):
;;   v9: i32 = const 0x1
;;   v2: i64 = memory.base m0
;;   v3: i32 = i32.load m0+0x0 v2, v0
;;   jump b1(v3, v1)
;; b1(v6: i32, v8: i32):  ; loop 1
;;   v5: i32 = i32.load m0+0x0 v2, v0
;;   v7: i32 = i32.add v5, v6
;;   i32.store m0+0x4 v2, v0, v7
;;   v11: i32 = const 0xffffffff
;;   v10: i32 = i32.add v8, v11
;;   branch v10, b1(v7, v10), b2
;; b2:
;;   return v7
;; loads: function f6 <globals>:
;; b0:
;;   v0: i32 = const 0x7
;;   v1: i32 = const 0x8
;;   v2: i32 = const 0x9
;;   global.set g2 v0
;;   global.set g0 v1
;;   global.set g1 v2
;;   v4: i32 = global.get g0
;;   v5: i32 = i32.add v0, v4
;;   return v5
;; loads: function f7 <called>:
;; b0:
;;   v0: i32 = const 0x7
;;   global.set g2 v0
;;   call f0
;;   v1: i32 = global.get g2
;;   return v1
