;; What a loop computes the same each time stands in front of it.
;;! ssa licm
(module
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  (func $product (param $a i32) (param $b i32) (param $p i32)
    (loop $next
      ;; The division may trap, but is executed first.
      (i32.store (local.get $p)
        (i32.add
          (i32.div_s (local.get $a) (local.get $b))
          (i32.mul (local.get $a) (local.get $b))))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 4))))))
  (func $may_not (param $a i32) (param $b i32) (param $p i32)
    (loop $next
      (i32.store (local.get $p) (local.get $a))
      ;; The store traps before it.
      (i32.store offset=4 (local.get $p) (i32.div_s (local.get $a) (local.get $b)))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 4))))))
  (func $loaded (param $p i32) (param $q i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum)
          (i32.mul (i32.load (local.get $q)) (global.get $g))))
      (global.set $g (local.get $sum))
      (br_if $next (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
    (local.get $sum))
  (func $nested (param $a i64) (param $n i32) (result i64) (local $i i32) (local $sum i64)
    (loop $outer
      (local.set $i (local.get $n))
      (loop $inner
        (local.set $sum
          (i64.xor (local.get $sum)
            (i64.add
              (i64.mul (local.get $a) (local.get $a))
              (i64.mul (local.get $a) (i64.extend_i32_u (local.get $n))))))
        (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
;;! expected
;; licm: function f0 <product>:
;; b0(v0: i32, v1: i32, v2: i32):
;;   v8: i32 = const 0x4
;;   v3: i32 = i32.div_s v0, v1
;;   v4: i32 = i32.mul v0, v1
;;   v5: i32 = i32.add v3, v4
;;   v7: i64 = memory.base m0
;;   jump b1(v2)
;; b1(v6: i32):  ; loop 1
;;   i32.store m0+0x0 v7, v6, v5
;;   v10: i32 = const 0xfffffffc
;;   v9: i32 = i32.add v6, v10
;;   branch v9, b1(v9), b2
;; b2:
;;   return
;; licm: function f1 <may_not>:
;; b0(v0: i32, v1: i32, v2: i32):
;;   v6: i32 = const 0x4
;;   v4: i64 = memory.base m0
;;   jump b1(v2)
;; b1(v3: i32):  ; loop 1
;;   i32.store m0+0x0 v4, v3, v0
;;   v5: i32 = i32.div_s v0, v1
;;   i32.store m0+0x4 v4, v3, v5
;;   v8: i32 = const 0xfffffffc
;;   v7: i32 = i32.add v3, v8
;;   branch v7, b1(v7), b2
;; b2:
;;   return
;; licm: function f2 <loaded>:
;; b0(v0: i32, v1: i32):
;;   v9: i32 = const 0x1
;;   v11: i32 = const 0x0
;;   v2: i64 = memory.base m0
;;   v3: i32 = i32.load m0+0x0 v2, v1
;;   jump b1(v11, v0)
;; b1(v6: i32, v8: i32):  ; loop 1
;;   v4: i32 = global.get g0
;;   v5: i32 = i32.mul v3, v4
;;   v7: i32 = i32.add v5, v6
;;   global.set g0 v7
;;   v12: i32 = const 0xffffffff
;;   v10: i32 = i32.add v8, v12
;;   branch v10, b1(v7, v10), b2
;; b2:
;;   return v7
;; licm: function f3 <nested>:
;; b0(v0: i64, v1: i32):
;;   v10: i32 = const 0x1
;;   v14: i64 = const 0x0
;;   v2: i64 = i64.mul v0, v0
;;   jump b1(v1, v14)
;; b1(v3: i32, v13: i64):  ; loop 1
;;   v4: i64 = i64.extend_i32_u v3
;;   v5: i64 = i64.mul v0, v4
;;   v6: i64 = i64.add v2, v5
;;   jump b2(v13, v3)
;; b2(v7: i64, v9: i32):  ; loop 2
;;   v8: i64 = i64.xor v6, v7
;;   v15: i32 = const 0xffffffff
;;   v11: i32 = i32.add v9, v15
;;   branch v11, b2(v8, v11), b3
;; b3:  ; loop 1
;;   v12: i32 = i32.add v3, v15
;;   branch v12, b1(v12, v8), b4
;; b4:
;;   return v8
