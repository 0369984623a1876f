;; Vectors on AArch64: constants that an instruction makes and one that is loaded, an
;; operand that becomes the result, a sum with a product, counts of shifts, the orders of lanes that have an
;; instruction, and a branch on a test.
;;! targets aarch64
(module
  (memory 1)
  (func (param $a v128) (param $b v128) (param $n i32) (result v128)
    (v128.bitselect
      (i8x16.shl (local.get $a) (local.get $n))
      (i64x2.shr_s (i32x4.dot_i16x8_s (local.get $a) (local.get $b)) (i32.const 3))
      (f32x4.pmin (local.get $a) (v128.const i32x4 1 1 1 1))))
  (func (param $a v128) (param $b v128) (result v128)
    (v128.xor
      (i8x16.add
        (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 24 25 26 27 12 13 14 15 (local.get $a) (local.get $b)))
      (i8x16.shuffle 9 30 2 17 4 6 22 8 1 31 16 20 11 5 3 0 (local.get $a) (local.get $b))))
  (func (param $p i32) (result i32)
    (local $a v128)
    (loop $next
      (local.set $a (i32x4.add (local.get $a) (v128.load32_splat offset=64 (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $next (i16x8.all_true (local.get $a))))
    (i8x16.bitmask (i32x4.add (local.get $a) (i32x4.mul (local.get $a) (local.get $a))))))
;;! expected
;; function f0: frame params 5 header s5 locals s8 stack s8 size 16
;;   s8 = i8x16.shl s0 s4
;;   s10 = i32x4.dot_i16x8_s s0 s2
;;   s10 = i64x2.shr_s s10 0x3
;;   s14 = v128.const 0x00000001000000010000000100000001
;;   s12 = f32x4.pmin s0 s14
;;   s8 = v128.bitselect s8 s10 s12
;;   v128.return s8
;;
;; aarch64
;;   word 0x90
;;   address L1
;; L1:
;;   ldr q0, [x1, #0]
;;   ldr x19, [x1, #32]
;;   and w15, w19, #0x7
;;   dup v31.16b, w15
;;   ushl v1.16b, v0.16b, v31.16b
;;   ldr q2, [x1, #16]
;;   smull v31.4s, v0.4h, v2.4h
;;   smull2 v30.4s, v0.8h, v2.8h
;;   addp v3.4s, v31.4s, v30.4s
;;   sshr v3.2d, v3.2d, #3
;;   movi v4.4s, #1, lsl #0
;;   fcmgt v5.4s, v0.4s, v4.4s
;;   bsl v5.16b, v4.16b, v0.16b
;;   bsl v5.16b, v1.16b, v3.16b
;;   str q5, [x1, #0]
;;   ldr x6, [x1, #56]
;;   ldp x2, x1, [x1, #40]
;;   cmp x6, x0
;;   b.ne L2
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; function f1: frame params 4 header s4 locals s7 stack s7 size 13
;;   s7 = i8x16.shuffle s0 s2 [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]
;;   s9 = i8x16.shuffle s0 s2 [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 12, 13, 14, 15]
;;   s7 = i8x16.add s7 s9
;;   s9 = i8x16.shuffle s0 s2 [9, 30, 2, 17, 4, 6, 22, 8, 1, 31, 16, 20, 11, 5, 3, 0]
;;   s7 = v128.xor s7 s9
;;   v128.return s7
;;
;; aarch64
;;   word 0x78
;;   address L1
;; L1:
;;   ldr q0, [x1, #0]
;;   ldr q1, [x1, #16]
;;   zip1 v2.16b, v0.16b, v1.16b
;;   mov v3.16b, v0.16b
;;   ins v3.s[2], v1.s[2]
;;   add v2.16b, v2.16b, v3.16b
;;   ldr q31, L2
;;   tbl v3.16b, {v0.16b, v1.16b}, v31.16b
;;   eor v2.16b, v2.16b, v3.16b
;;   str q2, [x1, #0]
;;   ldr x6, [x1, #48]
;;   ldp x2, x1, [x1, #32]
;;   cmp x6, x0
;;   b.ne L3
;;   ldr x16, [x2, #0]
;;   br x16
;; L3:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   word 0x816060411021e09
;;   word 0x3050b14101f01
;; function f2: frame params 1 header s1 locals s4 stack s6 size 12
;;   zero s4 x2
;; L1: (loop)
;;   s8 = v128.load32_splat m0[s0 + 0x40]
;;   s4 = i32x4.add s4 s8
;;   s0 = i32.add s0 0x4
;;   s6 = i16x8.all_true s4
;;   br_if s6 L1
;;   s8 = i32x4.mul s4 s4
;;   s6 = i32x4.add s4 s8
;;   s6 = i8x16.bitmask s6
;;   return s6
;;
;; aarch64
;;   word 0x70
;;   address L2
;; L2:
;;   str xzr, [x1, #32]
;;   str xzr, [x1, #40]
;;   ldr x19, [x1, #0]
;;   ldr q0, [x1, #32]
;; L1:
;;   add x17, x4, x19
;;   add x17, x17, #64
;;   ld1r {v1.4s}, [x17]
;;   add v0.4s, v0.4s, v1.4s
;;   add w19, w19, #4
;;   uminv h31, v0.8h
;;   fmov w16, s31
;;   cbnz w16, L1
;;   mov v1.16b, v0.16b
;;   mla v1.4s, v0.4s, v0.4s
;;   ldr q30, L4
;;   cmlt v31.16b, v1.16b, #0
;;   and v31.16b, v31.16b, v30.16b
;;   addp v31.16b, v31.16b, v31.16b
;;   addp v31.16b, v31.16b, v31.16b
;;   addp v31.16b, v31.16b, v31.16b
;;   umov w20, v31.h[0]
;;   str x20, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L5
;;   ldr x16, [x2, #0]
;;   br x16
;; L5:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L3:
;;   address L7
;; L7:
;;   ldr x19, [x1, #0]
;;   ldr q0, [x1, #32]
;;   b L1
;; L4:
;;   word 0x8040201008040201
;;   word 0x8040201008040201
