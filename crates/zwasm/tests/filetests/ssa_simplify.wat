;; Single instructions made simpler: constants, masks, shifts, comparisons, extensions.
;;! ssa build dce
(module
  (func $identities (param $x i32) (param $y i32) (result i32)
    ;; ((x + 3) - 5) * 8 and (y | 0) ^ y, which is nothing
    (i32.add
      (i32.mul (i32.sub (i32.add (local.get $x) (i32.const 3)) (i32.const 5)) (i32.const 8))
      (i32.xor (i32.or (local.get $y) (i32.const 0)) (local.get $y))))
  (func $folded (result i64)
    (i64.mul (i64.extend_i32_s (i32.const -3)) (i64.rotl (i64.const 1) (i64.const 33))))
  (func $floats_stay (param $x f64) (result f64)
    ;; Neither x + 0 nor x * 1 is x if that is a NaN or -0.
    (f64.mul (f64.add (local.get $x) (f64.const 0)) (f64.const 1)))
  (func $masks (param $x i32) (result i32)
    ;; A byte needs no mask, and the sign extension does not matter below it.
    (i32.add
      (i32.and (i32.shr_u (local.get $x) (i32.const 24)) (i32.const 255))
      (i32.and (i32.extend8_s (local.get $x)) (i32.const 127))))
  (func $rotated (param $x i32) (result i32)
    (i32.or
      (i32.shl (local.get $x) (i32.const 7))
      (i32.shr_u (local.get $x) (i32.const 25))))
  (func $extended (param $x i32) (result i32)
    (i32.wrap_i64
      (i64.add (i64.extend_i32_u (local.get $x)) (i64.const 0x1_0000_0001))))
  (func $compared (param $x i32) (param $y i64) (result i32)
    (i32.and
      (i32.eqz (i32.lt_u (local.get $x) (i32.const 9)))
      (i64.lt_s (i64.extend_i32_u (local.get $x)) (i64.const 100))))
  (func $selected (param $x i32) (param $a i64) (param $b i64) (result i64)
    (select (local.get $a) (local.get $b) (i32.eqz (i32.eqz (local.get $x)))))
  (func $trap_stays (param $x i32) (result i32)
    (i32.div_u (local.get $x) (i32.const 0))))
;;! expected
;; build: function f0 <identities>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x3
;;   v4: i32 = const 0x5
;;   v6: i32 = const 0x8
;;   v8: i32 = const 0x0
;;   v3: i32 = i32.add v0, v2
;;   v5: i32 = i32.sub v3, v4
;;   v7: i32 = i32.mul v5, v6
;;   v9: i32 = i32.or v1, v8
;;   v10: i32 = i32.xor v9, v1
;;   v11: i32 = i32.add v7, v10
;;   return v11
;; dce: function f0 <identities>:
;; b0(v0: i32, v1: i32):
;;   v2: i32 = const 0x3
;;   v13: i32 = const 0xfffffffe
;;   v5: i32 = i32.add v0, v13
;;   v7: i32 = i32.shl v5, v2
;;   return v7
;; build: function f1 <folded>:
;; b0:
;;   v0: i32 = const 0xfffffffd
;;   v2: i64 = const 0x1
;;   v3: i64 = const 0x21
;;   v1: i64 = i64.extend_i32_s v0
;;   v4: i64 = i64.rotl v2, v3
;;   v5: i64 = i64.mul v1, v4
;;   return v5
;; dce: function f1 <folded>:
;; b0:
;;   v5: i64 = const 0xfffffffa00000000
;;   return v5
;; build: function f2 <floats_stay>:
;; b0(v0: f64):
;;   v1: f64 = const 0x0
;;   v3: f64 = const 0x3ff0000000000000
;;   v2: f64 = f64.add v0, v1
;;   v4: f64 = f64.mul v2, v3
;;   return v4
;; dce: function f2 <floats_stay>:
;; b0(v0: f64):
;;   v1: f64 = const 0x0
;;   v3: f64 = const 0x3ff0000000000000
;;   v2: f64 = f64.add v0, v1
;;   v4: f64 = f64.mul v2, v3
;;   return v4
;; build: function f3 <masks>:
;; b0(v0: i32):
;;   v1: i32 = const 0x18
;;   v3: i32 = const 0xff
;;   v6: i32 = const 0x7f
;;   v2: i32 = i32.shr_u v0, v1
;;   v4: i32 = i32.and v2, v3
;;   v5: i32 = i32.extend8_s v0
;;   v7: i32 = i32.and v5, v6
;;   v8: i32 = i32.add v4, v7
;;   return v8
;; dce: function f3 <masks>:
;; b0(v0: i32):
;;   v1: i32 = const 0x18
;;   v6: i32 = const 0x7f
;;   v2: i32 = i32.shr_u v0, v1
;;   v7: i32 = i32.and v0, v6
;;   v8: i32 = i32.add v2, v7
;;   return v8
;; build: function f4 <rotated>:
;; b0(v0: i32):
;;   v1: i32 = const 0x7
;;   v3: i32 = const 0x19
;;   v2: i32 = i32.shl v0, v1
;;   v4: i32 = i32.shr_u v0, v3
;;   v5: i32 = i32.or v2, v4
;;   return v5
;; dce: function f4 <rotated>:
;; b0(v0: i32):
;;   v1: i32 = const 0x7
;;   v5: i32 = i32.rotl v0, v1
;;   return v5
;; build: function f5 <extended>:
;; b0(v0: i32):
;;   v2: i64 = const 0x100000001
;;   v1: i64 = i64.extend_i32_u v0
;;   v3: i64 = i64.add v1, v2
;;   v4: i32 = i32.wrap_i64 v3
;;   return v4
;; dce: function f5 <extended>:
;; b0(v0: i32):
;;   v5: i32 = const 0x1
;;   v4: i32 = i32.add v0, v5
;;   return v4
;; build: function f6 <compared>:
;; b0(v0: i32, v1: i64):
;;   v2: i32 = const 0x9
;;   v5: i64 = const 0x64
;;   v3: i32 = i32.ge_u v0, v2
;;   v4: i64 = i64.extend_i32_u v0
;;   v6: i32 = i64.lt_s v4, v5
;;   v7: i32 = i32.and v3, v6
;;   return v7
;; dce: function f6 <compared>:
;; b0(v0: i32, v1: i64):
;;   v2: i32 = const 0x9
;;   v3: i32 = i32.ge_u v0, v2
;;   v8: i32 = const 0x64
;;   v6: i32 = i32.lt_u v0, v8
;;   v7: i32 = i32.and v3, v6
;;   return v7
;; build: function f7 <selected>:
;; b0(v0: i32, v1: i64, v2: i64):
;;   v3: i32 = const 0x0
;;   v4: i32 = i32.ne v0, v3
;;   v5: i64 = select v4, v1, v2
;;   return v5
;; dce: function f7 <selected>:
;; b0(v0: i32, v1: i64, v2: i64):
;;   v5: i64 = select v0, v1, v2
;;   return v5
;; build: function f8 <trap_stays>:
;; b0(v0: i32):
;;   v1: i32 = const 0x0
;;   v2: i32 = i32.div_u v0, v1
;;   return v2
;; dce: function f8 <trap_stays>:
;; b0(v0: i32):
;;   v1: i32 = const 0x0
;;   v2: i32 = i32.div_u v0, v1
;;   return v2
