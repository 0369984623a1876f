;; A branch that only chooses between two numbers is a selection.
;;! ssa choose
(module
  (memory 1)
  (func $larger_child (param $j i32) (param $a f64) (param $b f64) (result i32)
    (if (f64.gt (local.get $a) (local.get $b))
      (then (local.set $j (i32.or (local.get $j) (i32.const 1)))))
    (i32.load (local.get $j)))
  (func $both_ways (param $a i64) (param $b i64) (result i64)
    (if (result i64) (i64.lt_u (local.get $a) (local.get $b))
      (then (i64.sub (local.get $b) (local.get $a)))
      (else (i64.sub (local.get $a) (local.get $b)))))
  ;; Two numbers differ.
  (func $two (param $a i32) (param $b i32) (param $c i32) (result i32)
    (if (local.get $c)
      (then
        (local.set $a (i32.add (local.get $a) (i32.const 1)))
        (local.set $b (i32.add (local.get $b) (i32.const 2)))))
    (i32.mul (local.get $a) (local.get $b)))
  ;; What is on one way may trap.
  (func $traps (param $a i32) (param $b i32) (result i32)
    (if (local.get $b)
      (then (local.set $a (i32.div_u (local.get $a) (local.get $b)))))
    (i32.mul (local.get $a) (local.get $b)))
  ;; It is not chosen but by a branch.
  (func $float (param $a f64) (param $b f64) (result f64)
    (if (f64.gt (local.get $a) (local.get $b))
      (then (local.set $a (local.get $b))))
    (f64.mul (local.get $a) (local.get $b)))
  ;; The number decides again.
  (func $decides (param $a i32) (param $b i32) (result i32)
    (if (local.get $b) (then (local.set $a (i32.shl (local.get $a) (i32.const 1)))))
    (block $0 (block $1 (block $2
      (br_table $0 $1 $2 (local.get $a)))
      (return (i32.const 3)))
      (return (local.get $a)))
    (local.get $b)))
;;! expected
;; choose: function f0 <larger_child>:
;; b0(v0: i32, v1: f64, v2: f64):
;;   v4: i32 = const 0x1
;;   v3: i32 = f64.gt v1, v2
;;   v5: i32 = i32.or v0, v4
;;   v9: i32 = select v3, v5, v0
;;   v7: i64 = memory.base m0
;;   v8: i32 = i32.load m0+0x0 v7, v9
;;   return v8
;; choose: function f1 <both_ways>:
;; b0(v0: i64, v1: i64):
;;   v2: i32 = i64.lt_u v0, v1
;;   v3: i64 = i64.sub v1, v0
;;   v4: i64 = i64.sub v0, v1
;;   v6: i64 = select v2, v3, v4
;;   return v6
;; choose: function f2 <two>:
;; b0(v0: i32, v1: i32, v2: i32):
;;   v3: i32 = const 0x1
;;   v5: i32 = const 0x2
;;   branch v2, b1, b2(v0, v1)
;; b1:
;;   v4: i32 = i32.add v0, v3
;;   v6: i32 = i32.add v1, v5
;;   jump b2(v4, v6)
;; b2(v7: i32, v8: i32):
;;   v9: i32 = i32.mul v7, v8
;;   return v9
;; choose: function f3 <traps>:
;; b0(v0: i32, v1: i32):
;;   branch v1, b1, b2(v0)
;; b1:
;;   v2: i32 = i32.div_u v0, v1
;;   jump b2(v2)
;; b2(v3: i32):
;;   v4: i32 = i32.mul v1, v3
;;   return v4
;; choose: function f4 <float>:
;; b0(v0: f64, v1: f64):
;;   v2: i32 = f64.gt v0, v1
;;   branch v2, b2(v1), b2(v0)
;; b2(v3: f64):
;;   v4: f64 = f64.mul v3, v1
;;   return v4
;; choose: function f5 <decides>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x1
;;   v5: i32 = const 0x3
;;   branch v1, b1, b2(v0)
;; b1:
;;   v3: i32 = i32.shl v0, v2
;;   jump b2(v3)
;; b2(v4: i32):
;;   v6: i32 = const 0x0
;;   v7: i32 = i32.eq v4, v6
;;   branch v4, b6, b5
;; b5:
;;   return v1
;; b6:
;;   v9: i32 = i32.eq v4, v2
;;   branch v9, b4, b3
;; b3:
;;   return v5
;; b4:
;;   return v4
