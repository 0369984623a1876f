;; Vectors without AVX: the result overwrites the first operand, and operands are
;; loaded first, because memory operands would have to be aligned.
(module
  (memory 1)
  (func (param $a v128) (param $p i32) (result v128)
    (i32x4.add (i32x4.mul (local.get $a) (v128.load (local.get $p))) (local.get $a))))
;;! expected
;; function f0: frame params 3 header s3 locals s6 stack s6 size 10
;;   s8 = v128.load m0[s2 + 0x0]
;;   s6 = i32x4.mul s0 s8
;;   s6 = i32x4.add s6 s0
;;   v128.return s6
;;
;; x64
;;   word 0x60
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x10]
;;   movups xmm0, [r8 + rbx*1]
;;   movups xmm1, [rsi]
;;   movaps xmm2, xmm1
;;   pmulld xmm2, xmm1, xmm0
;;   movaps xmm0, xmm2
;;   paddd xmm0, xmm2, xmm1
;;   movups [rsi], xmm0
;;   movq rdx, [rsi + 0x18]
;;   movq rax, [rsi + 0x28]
;;   movq rsi, [rsi + 0x20]
;;   cmpq rax, rdi
;;   jne L2
;;   jmpq [rdx]
;; L2:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; aarch64
;;   word 0x60
;;   address L1
;; L1:
;;   ldr x19, [x1, #16]
;;   ldr q0, [x4, x19]
;;   ldr q1, [x1, #0]
;;   mov v2.16b, v1.16b
;;   mla v2.4s, v1.4s, v0.4s
;;   str q2, [x1, #0]
;;   ldr x6, [x1, #40]
;;   ldp x2, x1, [x1, #24]
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
