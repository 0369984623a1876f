;; Structures that nobody else sees are taken apart.
;;! ssa objects
(module
  (type $pair (struct (field $a (mut i32)) (field $b (mut i8))))
  (type $box (struct (field $in (mut (ref null $pair)))))
  (type $fixed (struct (field $n i64) (field $f f64)))
  (global $g (mut (ref null $pair)) (ref.null $pair))
  (func $changes)
  (func $straight (param $x i32) (result i32) (local $p (ref null $pair))
    (local.set $p (struct.new $pair (local.get $x) (local.get $x)))
    (call $changes)
    (struct.set $pair $a (local.get $p) (i32.const 7))
    (i32.add
      (i32.add (struct.get $pair $a (local.get $p)) (struct.get_s $pair $b (local.get $p)))
      (struct.get_u $pair $b (local.get $p))))
  (func $around (param $n i32) (result i32) (local $p (ref null $pair))
    (local.set $p (struct.new_default $pair))
    (loop $next
      (struct.set $pair $a (local.get $p)
        (i32.add (struct.get $pair $a (local.get $p)) (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $pair $a (local.get $p)))
  (func $nested (param $x i32) (result i32) (local $o (ref null $box))
    (local.set $o (struct.new $box (struct.new $pair (local.get $x) (i32.const 1))))
    (struct.set $pair $a (struct.get $box $in (local.get $o)) (i32.const 3))
    (i32.add
      (struct.get $pair $a (struct.get $box $in (local.get $o)))
      (ref.eq (local.get $o) (ref.null none))))
  ;; It is seen in the end, and so made at once.
  (func $late (param $x i32) (result i32) (local $p (ref null $pair))
    (local.set $p (struct.new $pair (local.get $x) (i32.const 0)))
    (if (i32.gt_s (struct.get $pair $a (local.get $p)) (i32.const 9))
      (then (global.set $g (local.get $p))))
    (struct.get $pair $a (local.get $p)))
  (func $immutable (param $c i32) (param $n i64) (result f64) (local $o (ref null $fixed))
    (local.set $o (struct.new $fixed (local.get $n) (f64.const 2)))
    (if (result f64) (local.get $c)
      (then (f64.convert_i64_s (struct.get $fixed $n (local.get $o))))
      (else (struct.get $fixed $f (local.get $o))))))
;;! expected
;; objects: function f0 <changes>:
;; b0:
;;   return
;; objects: function f1 <straight>:
;; b0(v0: i32):
;;   v2: i32 = const 0x7
;;   call f0
;;   v4: i32 = i32.extend8_s v0
;;   v5: i32 = i32.add v2, v4
;;   v8: i32 = const 0xff
;;   v6: i32 = i32.and v0, v8
;;   v7: i32 = i32.add v5, v6
;;   return v7
;; objects: function f2 <around>:
;; b0(v0: i32):
;;   v5: i32 = const 0x1
;;   v9: i32 = const 0x0
;;   jump b1(v0, v9)
;; b1(v3: i32, v10: i32):  ; loop 1
;;   v4: i32 = i32.add v10, v3
;;   v8: i32 = const 0xffffffff
;;   v6: i32 = i32.add v3, v8
;;   branch v6, b1(v6, v4), b2
;; b2:
;;   return v4
;; objects: function f3 <nested>:
;; b0(v0: i32):
;;   v1: i32 = const 0x1
;;   v5: i32 = const 0x3
;;   v8: i64 = const 0x0
;;   v9: i32 = const 0x0
;;   v10: i32 = i32.add v5, v9
;;   return v10
;; objects: function f4 <late>:
;; b0(v0: i32):
;;   v1: i32 = const 0x0
;;   v4: i32 = const 0x9
;;   v2: ref = struct.new type 0 v0, v1
;;   v3: i32 = struct.get type 0[0] v2
;;   v5: i32 = i32.gt_s v3, v4
;;   branch v5, b1, b2
;; b1:
;;   global.set g0 v2
;;   jump b2
;; b2:
;;   v6: i32 = struct.get type 0[0] v2
;;   return v6
;; objects: function f5 <immutable>:
;; b0(v0: i32, v1: i64):
;;   v2: f64 = const 0x4000000000000000
;;   branch v0, b1, b2
;; b1:
;;   v5: f64 = f64.convert_i64_s v1
;;   jump b3(v5)
;; b2:
;;   jump b3(v2)
;; b3(v7: f64):
;;   return v7
