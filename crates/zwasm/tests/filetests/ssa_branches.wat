;; Branches that are decided, and blocks that do nothing but go elsewhere.
;;! ssa build branches
(module
  (func $twice (param $c i32) (result i32)
    (if (local.get $c)
      (then (if (local.get $c) (then (return (i32.const 1))) (else (return (i32.const 2))))))
    (i32.const 3))
  (func $both (param $a i32) (param $b i32) (result i32)
    ;; The value of `a && b` is known on one of the ways.
    (if (result i32)
      (if (result i32) (local.get $a) (then (local.get $b)) (else (i32.const 0)))
      (then (i32.const 10))
      (else (i32.const 20))))
  (func $straight (param $x i32) (result i32)
    (block $a (block $b (br $b)) (br $a))
    (i32.add (local.get $x) (i32.const 1))))
;;! expected
;; build: function f0 <twice>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   v2: i32 = const 0x2
;;   v3: i32 = const 0x3
;;   branch v0, b1, b4
;; b1:
;;   branch v0, b2, b3
;; b2:
;;   return v1
;; b3:
;;   return v2
;; b4:
;;   return v3
;; branches: function f0 <twice>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   v2: i32 = const 0x2
;;   v3: i32 = const 0x3
;;   branch v0, b2, b4
;; b2:
;;   return v1
;; b4:
;;   return v3
;; build: function f1 <both>:
;; b0(v0: i32, v1: i32):
;;   v4: i32 = const 0x0
;;   v5: i32 = const 0xa
;;   v6: i32 = const 0x14
;;   branch v0, b1, b2
;; b1:
;;   jump b3(v1)
;; b2:
;;   jump b3(v4)
;; b3(v2: i32):
;;   branch v2, b4, b5
;; b4:
;;   jump b6(v5)
;; b5:
;;   jump b6(v6)
;; b6(v3: i32):
;;   return v3
;; branches: function f1 <both>:
;; b0(v0: i32, v1: i32):
;;   v4: i32 = const 0x0
;;   v5: i32 = const 0xa
;;   v6: i32 = const 0x14
;;   branch v0, b3, b6(v6)
;; b3:
;;   branch v1, b6(v5), b6(v6)
;; b6(v3: i32):
;;   return v3
;; build: function f2 <straight>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   jump b1
;; b1:
;;   jump b2
;; b2:
;;   v2: i32 = i32.add v0, v1
;;   return v2
;; branches: function f2 <straight>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   v2: i32 = i32.add v0, v1
;;   return v2
