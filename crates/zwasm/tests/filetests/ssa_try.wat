;; A call inside a try ends its block; a clause's block reads what was caught.
;;! ssa build
(module
  (tag $e (param i32 i64))
  (func $callee (param i32) (result i32) (local.get 0))
  (func $catches (param $x i32) (result i32) (local $before i32)
    (local.set $before (local.get $x))
    (block $all
      (block $caught (result i32 i64)
        (try_table (catch $e $caught) (catch_all $all)
          (local.set $x (call_indirect (param i32) (result i32) (local.get $x) (i32.const 0)))
          (local.set $x (i32.add (local.get $x) (i32.const 1)))
          (return (call_indirect (param i32) (result i32) (local.get $x) (i32.const 1))))
        (unreachable))
      (return (i32.add (i32.wrap_i64) (local.get $before))))
    (local.get $x))
  (func $throws (param $x i32)
    (block $all (result exnref)
      (try_table (catch_all_ref $all)
        (throw $e (local.get $x) (i64.const 5)))
      (return))
    (throw_ref))
  (table 1 1 funcref))
;;! expected
;; build: function f0 <callee>:
;; b0(v0: i32):
;;   return v0
;; build: function f1 <catches>:
;; b0(v0: i32):
;;   v1: i32 = const 0x0
;;   v5: i32 = const 0x1
;;   v2: i32 = call_indirect type 1 t0 v0, v1
;;   try b3 (catch e0 b1) (catch_all b2)
;; b1:
;;   v3: i32 = landed s0
;;   v4: i64 = landed s1
;;   jump b7(v4)
;; b2:
;;   jump b8(v0)
;; b3:
;;   v6: i32 = i32.add v2, v5
;;   v7: i32 = call_indirect type 1 t0 v6, v5
;;   try b6 (catch e0 b4) (catch_all b5)
;; b4:
;;   v8: i32 = landed s0
;;   v9: i64 = landed s1
;;   jump b7(v9)
;; b7(v10: i64):
;;   v11: i32 = i32.wrap_i64 v10
;;   v12: i32 = i32.add v11, v0
;;   return v12
;; b5:
;;   jump b8(v6)
;; b8(v13: i32):
;;   return v13
;; b6:
;;   return v7
;; build: function f2 <throws>:
;; b0(v0: i32):
;;   v1: i64 = const 0x5
;;   throw e0 v0, v1 (catch_all_ref b1)
;; b1:
;;   v2: ref = landed s0
;;   jump b2
;; b2:
;;   throw_ref v2
