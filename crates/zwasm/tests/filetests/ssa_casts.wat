;; Casts, tests and null checks whose answer is known.
;;! ssa casts
(module
  (type $base (sub (struct (field $x (mut i32)))))
  (type $derived (sub $base (struct (field (mut i32)) (field $y (mut i32)))))
  (type $last (sub final $derived (struct (field (mut i32)) (field (mut i32)))))
  (type $other (sub (struct (field i64))))
  (type $bytes (array (mut i8)))
  (func $twice (param $o anyref) (result i32)
    (i32.add
      (struct.get $derived $y (ref.cast (ref $derived) (local.get $o)))
      (i32.add
        (struct.get $derived $y (ref.cast (ref $derived) (local.get $o)))
        ;; Of a supertype.
        (struct.get $base $x (ref.cast (ref null $base) (local.get $o))))))
  (func $narrower (param $o (ref null $base)) (result i32)
    (drop (ref.cast (ref $base) (local.get $o)))
    ;; This one is to be looked at.
    (struct.get $derived $y (ref.cast (ref null $derived) (local.get $o))))
  (func $tested (param $o anyref) (result i32)
    (block $is (result (ref $derived))
      (drop (br_on_cast $is anyref (ref $derived) (local.get $o)))
      (return (ref.test (ref $derived) (local.get $o))))
    (ref.test (ref null $base)))
  (func $made (param $c i32) (result i32) (local $o (ref null $base))
    (local.set $o (struct.new $derived (i32.const 1) (i32.const 2)))
    (i32.add
      (i32.add (ref.test (ref $base) (local.get $o)) (ref.test (ref $last) (local.get $o)))
      (i32.add (ref.test (ref array) (local.get $o)) (ref.is_null (local.get $o)))))
  (func $not_null (param $o (ref null $base)) (result i32)
    (if (result i32) (ref.is_null (local.get $o))
      (then (i32.const 0))
      (else (ref.test (ref $base) (ref.as_non_null (local.get $o))))))
  (func $length (param $n i32) (result i32)
    (array.len (array.new_default $bytes (local.get $n)))))
;;! expected
;; casts: function f0 <twice>:
;; b0(v0: ref):
;;   v1: ref = ref.cast type 1 v0
;;   v2: i32 = struct.get type 1[1] v0
;;   v4: i32 = struct.get type 1[1] v0
;;   v6: i32 = struct.get type 0[0] v0
;;   v7: i32 = i32.add v4, v6
;;   v8: i32 = i32.add v2, v7
;;   return v8
;; casts: function f1 <narrower>:
;; b0(v0: ref):
;;   v1: ref = ref.cast type 0 v0
;;   v2: ref = ref.cast null type 1 v0
;;   v3: i32 = struct.get type 1[1] v0
;;   return v3
;; casts: function f2 <tested>:
;; b0(v0: ref):
;;   v1: i32 = ref.test type 1 v0
;;   branch v1, b3, b2
;; b2:
;;   return v1
;; b3:
;;   v3: i32 = const 0x1
;;   return v3
;; casts: function f3 <made>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   v2: i32 = const 0x2
;;   v8: i64 = const 0x0
;;   v3: ref = struct.new type 1 v1, v2
;;   v4: i32 = const 0x1
;;   v5: i32 = const 0x0
;;   v6: i32 = i32.add v4, v5
;;   v7: i32 = const 0x0
;;   v9: i32 = const 0x0
;;   v10: i32 = i32.add v7, v9
;;   v11: i32 = i32.add v6, v10
;;   return v11
;; casts: function f4 <not_null>:
;; b0(v0: ref):
;;   v1: i64 = const 0x0
;;   v6: i32 = const 0x0
;;   v2: i32 = i64.eq v0, v1
;;   branch v2, b3(v6), b2
;; b2:
;;   v4: i32 = ref.test type 0 v0
;;   jump b3(v4)
;; b3(v5: i32):
;;   return v5
;; casts: function f5 <length>:
;; b0(v0: i32):
;;   v1: ref = array.new_default type 4 v0
;;   return v0
