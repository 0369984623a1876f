;; A jump through a table that tells few cases apart is branches.
;;! ssa tables
(module
  (func $states (param $state i32) (result i32)
    (block $0 (block $1 (block $2 (block $else
      (br_table $0 $1 $2 $else (local.get $state)))
      (return (i32.const 40)))
      (return (i32.const 30)))
      (return (i32.const 20)))
    (i32.const 10))
  ;; Neighbours that lead to the same place are one case, wherever they stand.
  (func $runs (param $char i32) (result i32)
    (block $blank (block $mark (block $else
      (br_table $else $blank $blank $blank $else $mark $else (local.get $char)))
      (return (i32.const 3)))
      (return (i32.const 2)))
    (i32.const 1))
  (func $from_zero (param $a i32) (result i32)
    (block $low (block $else
      (br_table $low $low $low $low $else (local.get $a)))
      (return (i32.const 2)))
    (i32.const 1))
  ;; All lead to the same place.
  (func $none (param $a i32) (result i32)
    (block $0
      (br_table $0 $0 $0 (local.get $a)))
    (i32.const 1))
  ;; These are too many.
  (func $many (param $a i32) (result i32)
    (block $0 (block $1 (block $2 (block $3 (block $4 (block $5 (block $else
      (br_table $0 $1 $2 $3 $4 $5 $else (local.get $a)))
      (return (i32.const 70)))
      (return (i32.const 60)))
      (return (i32.const 50)))
      (return (i32.const 40)))
      (return (i32.const 30)))
      (return (i32.const 20)))
    (i32.const 10)))
;;! expected
;; tables: function f0 <states>:
;; b0(v0: i32):
;;   v1: i32 = const 0x28
;;   v2: i32 = const 0x1e
;;   v3: i32 = const 0x14
;;   v4: i32 = const 0xa
;;   v5: i32 = const 0x0
;;   v6: i32 = i32.eq v0, v5
;;   branch v6, b4, b5
;; b4:
;;   return v4
;; b5:
;;   v7: i32 = const 0x1
;;   v8: i32 = i32.eq v0, v7
;;   branch v8, b3, b6
;; b3:
;;   return v3
;; b6:
;;   v9: i32 = const 0x2
;;   v10: i32 = i32.eq v0, v9
;;   branch v10, b2, b1
;; b1:
;;   return v1
;; b2:
;;   return v2
;; tables: function f1 <runs>:
;; b0(v0: i32):
;;   v1: i32 = const 0x3
;;   v2: i32 = const 0x2
;;   v3: i32 = const 0x1
;;   v4: i32 = const 0x1
;;   v5: i32 = i32.sub v0, v4
;;   v6: i32 = const 0x3
;;   v7: i32 = i32.lt_u v5, v6
;;   branch v7, b2, b6
;; b2:
;;   jump b5
;; b5:
;;   return v3
;; b6:
;;   v8: i32 = const 0x5
;;   v9: i32 = i32.eq v0, v8
;;   branch v9, b4, b1
;; b1:
;;   jump b3
;; b3:
;;   return v1
;; b4:
;;   return v2
;; tables: function f2 <from_zero>:
;; b0(v0: i32):
;;   v1: i32 = const 0x2
;;   v2: i32 = const 0x1
;;   v3: i32 = const 0x4
;;   v4: i32 = i32.lt_u v0, v3
;;   branch v4, b1, b2
;; b1:
;;   jump b3
;; b3:
;;   return v2
;; b2:
;;   return v1
;; tables: function f3 <none>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   jump b1
;; b1:
;;   return v1
;; tables: function f4 <many>:
;; b0(v0: i32):
;;   v1: i32 = const 0x46
;;   v2: i32 = const 0x3c
;;   v3: i32 = const 0x32
;;   v4: i32 = const 0x28
;;   v5: i32 = const 0x1e
;;   v6: i32 = const 0x14
;;   v7: i32 = const 0xa
;;   table v0, b7, b6, b5, b4, b3, b2, b1
;; b1:
;;   return v1
;; b2:
;;   return v2
;; b3:
;;   return v3
;; b4:
;;   return v4
;; b5:
;;   return v5
;; b6:
;;   return v6
;; b7:
;;   return v7
