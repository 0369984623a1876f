;; Slots become values: what loops and joins change are parameters of blocks, and copies
;; and constants leave nothing.
;;! ssa build
(module
  (memory 1)
  (func $sum (param $n i32) (result i64) (local $sum i64) (local $i i32) (local $unused f64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum) (i64.load32_u offset=8 (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $sum))
  (func $join (param $c i32) (param $x f32) (result f32) (local $y f32)
    (local.set $y (local.get $x))
    (block $out
      (br_if $out (local.get $c))
      (local.set $y (f32.mul (local.get $y) (f32.const 2))))
    ;; Both arms are constants, whose type only the reader knows.
    (f32.add
      (local.get $y)
      (if (result f32) (local.get $c) (then (f32.const 1)) (else (f32.const -1)))))
  (func $table (param $i i32) (result i32)
    (block $a (block $b (block $c
      ;; Edges to the same block share one of their own.
      (br_table $a $b $a $c $a (local.get $i)))
      (return (i32.const 3)))
      (local.set $i (i32.const 2)))
    (local.get $i))
  (func $early (param $i i32) (param $j i32) (result i32)
    ;; What is written on the way out is not seen behind it.
    (if (local.get $i) (then (local.set $j (i32.const 7)) (return (local.get $j))))
    (local.get $j)))
;;! expected
;; build: function f0 <sum>:
;; b0(v0: i32):
;;   v6: i32 = const 0x4
;;   v9: i32 = const 0x0
;;   v10: i64 = const 0x0
;;   jump b1(v9, v10)
;; b1(v1: i32, v4: i64):  ; loop 1
;;   v2: i64 = memory.base m0
;;   v3: i64 = i64.load32_u m0+0x8 v2, v1
;;   v5: i64 = i64.add v4, v3
;;   v7: i32 = i32.add v1, v6
;;   v8: i32 = i32.lt_u v7, v0
;;   branch v8, b1(v7, v5), b2
;; b2:
;;   return v5
;; build: function f1 <join>:
;; b0(v0: i32, v1: f32):
;;   v2: f32 = const 0x40000000
;;   v7: f32 = const 0x3f800000
;;   v8: f32 = const 0xbf800000
;;   branch v0, b2(v1), b1
;; b1:
;;   v3: f32 = f32.mul v1, v2
;;   jump b2(v3)
;; b2(v4: f32):
;;   branch v0, b3, b4
;; b3:
;;   jump b5(v7)
;; b4:
;;   jump b5(v8)
;; b5(v5: f32):
;;   v6: f32 = f32.add v4, v5
;;   return v6
;; build: function f2 <table>:
;; b0(v0: i32):
;;   v1: i32 = const 0x3
;;   v3: i32 = const 0x2
;;   table v0, b1, b3, b1, b2, b1
;; b1:
;;   jump b4(v0)
;; b2:
;;   return v1
;; b3:
;;   jump b4(v3)
;; b4(v2: i32):
;;   return v2
;; build: function f3 <early>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x7
;;   branch v0, b1, b2
;; b1:
;;   return v2
;; b2:
;;   return v1
