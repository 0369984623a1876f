;; Copies and fills of constant and of short length are accesses of the memory; what is
;; long is the handler's.
(module
  (memory 1)
  (func $constant (param $to i32) (param $from i32)
    (memory.copy (local.get $to) (local.get $from) (i32.const 21))
    (memory.fill (local.get $to) (i32.const 0) (i32.const 40)))
  (func $short (param $to i32) (param $from i32) (param $n i32)
    (memory.copy (local.get $to) (local.get $from) (local.get $n))))
;;! expected
;; function f0 <constant>: frame params 2 header s2 locals s5 stack s5 size 8
;;   s7 = 0x15
;;   s6 = s1
;;   s5 = s0
;;   memory.copy m0 m0 s5
;;   s7 = 0x28
;;   s6 = 0x0
;;   s5 = s0
;;   memory.fill m0 s5
;;   return
;;
;; x64
;;   word 0x50
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq rbp, [rsi]
;;   leaq r11, [rbp + 0x15]
;;   cmpq r11, r9
;; L3:
;;   ja L2
;;   leaq r11, [rbx + 0x15]
;;   cmpq r11, r9
;; L5:
;;   ja L4
;;   movups xmm0, [r8 + rbx*1]
;;   movq r10, [r8 + rbx*1 + 0xd]
;;   movups [r8 + rbp*1], xmm0
;;   movq [r8 + rbp*1 + 0xd], r10
;;   movq rbx, [rsi]
;;   xorps xmm15, xmm15
;;   leaq r11, [rbx + 0x28]
;;   cmpq r11, r9
;; L7:
;;   ja L6
;;   movups [r8 + rbx*1], xmm15
;;   movups [r8 + rbx*1 + 0x10], xmm15
;;   movsd [r8 + rbx*1 + 0x20], xmm15
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
;;   cmpq rax, rdi
;;   jne L8
;;   jmpq [rdx]
;; L8:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   leaq r9, [rbp]
;;   leaq rdx, L3
;; L10:
;;   movl rcx, 0x102
;;   jmpq L9
;; L4:
;;   leaq r9, [rbx]
;;   leaq rdx, L5
;;   jmp L10
;; L6:
;;   leaq r9, [rbx]
;;   leaq rdx, L7
;;   jmp L10
;; L9:
;;   handler raise
;; aarch64
;;   word 0x50
;;   address L1
;; L1:
;;   ldr x19, [x1, #8]
;;   ldr x20, [x1, #0]
;;   add x16, x20, #21
;;   cmp x16, x5
;; L3:
;;   b.hi L2
;;   add x16, x19, #21
;;   cmp x16, x5
;; L5:
;;   b.hi L4
;;   ldr q0, [x4, x19]
;;   add x17, x4, x19
;;   ldur x21, [x17, #13]
;;   str q0, [x4, x20]
;;   add x17, x4, x20
;;   stur x21, [x17, #13]
;;   ldr x19, [x1, #0]
;;   movi v31.2d, #0x0
;;   add x16, x19, #40
;;   cmp x16, x5
;; L7:
;;   b.hi L6
;;   str q31, [x4, x19]
;;   add x17, x4, x19
;;   str q31, [x17, #16]
;;   add x17, x4, x19
;;   str d31, [x17, #32]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
;;   cmp x6, x0
;;   b.ne L8
;;   ldr x16, [x2, #0]
;;   br x16
;; L8:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   mov x5, x20
;;   adr x2, L3
;; L10:
;;   movz x3, #258
;;   ldr x16, L9
;;   br x16
;; L4:
;;   mov x5, x19
;;   adr x2, L5
;;   b L10
;; L6:
;;   mov x5, x19
;;   adr x2, L7
;;   b L10
;; L9:
;;   handler raise
;; function f1 <short>: frame params 3 header s3 locals s6 stack s6 size 9
;;   s8 = s2
;;   s7 = s1
;;   s6 = s0
;;   memory.copy m0 m0 s6
;;   return
;;
;; x64
;;   word 0x58
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x10]
;;   movq rbp, [rsi + 0x8]
;;   movq r10, [rsi]
;;   leaq r12, [r10 + rbx*1]
;;   cmpq r12, r9
;; L5:
;;   ja L4
;;   leaq r13, [rbp + rbx*1]
;;   cmpq r13, r9
;; L7:
;;   ja L6
;;   cmpq rbx, 0x10
;;   jb L8
;;   cmpq rbx, 0x20
;;   ja L9
;;   movups xmm0, [r8 + rbp*1]
;;   movups xmm1, [r8 + r13*1 - 0x10]
;;   movups [r8 + r10*1], xmm0
;;   movups [r8 + r12*1 - 0x10], xmm1
;;   jmp L10
;; L8:
;;   testb rbx, 0x8
;;   je L11
;;   movq r14, [r8 + rbp*1]
;;   movq r11, [r8 + r13*1 - 0x8]
;;   movq [r8 + r10*1], r14
;;   movq [r8 + r12*1 - 0x8], r11
;;   jmp L10
;; L11:
;;   testb rbx, 0x4
;;   je L12
;;   movl r14, [r8 + rbp*1]
;;   movl r11, [r8 + r13*1 - 0x4]
;;   movl [r8 + r10*1], r14
;;   movl [r8 + r12*1 - 0x4], r11
;;   jmp L10
;; L12:
;;   testb rbx, 0x2
;;   je L13
;;   movzwl r14, [r8 + rbp*1]
;;   movzwl r11, [r8 + r13*1 - 0x2]
;;   movw [r8 + r10*1], r14
;;   movw [r8 + r12*1 - 0x2], r11
;;   jmp L10
;; L13:
;;   testb rbx, 0x1
;;   je L10
;;   movzbl r14, [r8 + rbp*1]
;;   movb [r8 + r10*1], r14
;;   jmp L10
;; L9:
;;   cmpq rbx, 0x40
;;   ja L2
;;   movups xmm0, [r8 + rbp*1]
;;   movups xmm1, [r8 + rbp*1 + 0x10]
;;   movups xmm2, [r8 + r13*1 - 0x20]
;;   movups xmm15, [r8 + r13*1 - 0x10]
;;   movups [r8 + r10*1], xmm0
;;   movups [r8 + r10*1 + 0x10], xmm1
;;   movups [r8 + r12*1 - 0x20], xmm2
;;   movups [r8 + r12*1 - 0x10], xmm15
;; L10:
;; L3:
;;   movq rdx, [rsi + 0x18]
;;   movq rax, [rsi + 0x28]
;;   movq rsi, [rsi + 0x20]
;;   cmpq rax, rdi
;;   jne L14
;;   jmpq [rdx]
;; L14:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   movq [rsi + 0x40], rbx
;;   movq [rsi + 0x38], rbp
;;   movq [rsi + 0x30], r10
;;   leaq rdx, L17
;;   jmpq L17
;; L17:
;;   handler memory.copy m0 m0 s6
;;   word 0x6
;;   word 0x0
;;   address L16
;; L16:
;;   movq rbx, [rsi + 0x40]
;;   movq rbp, [rsi + 0x38]
;;   movq r10, [rsi + 0x30]
;;   jmp L3
;; L4:
;;   leaq r9, [r10]
;;   leaq rdx, L5
;; L18:
;;   movl rcx, 0x102
;;   jmpq L15
;; L6:
;;   leaq r9, [rbp]
;;   leaq rdx, L7
;;   jmp L18
;; L15:
;;   handler raise
;; aarch64
;;   word 0x58
;;   address L1
;; L1:
;;   ldr x19, [x1, #16]
;;   ldr x20, [x1, #8]
;;   ldr x21, [x1, #0]
;;   add x22, x21, x19
;;   cmp x22, x5
;; L5:
;;   b.hi L4
;;   add x23, x20, x19
;;   cmp x23, x5
;; L7:
;;   b.hi L6
;;   cmp x19, #16
;;   b.lo L8
;;   cmp x19, #32
;;   b.hi L9
;;   ldr q0, [x4, x20]
;;   add x17, x4, x23
;;   ldur q1, [x17, #-16]
;;   str q0, [x4, x21]
;;   add x17, x4, x22
;;   stur q1, [x17, #-16]
;;   b L10
;; L8:
;;   tst w19, #0x8
;;   b.eq L11
;;   ldr x24, [x4, x20]
;;   add x17, x4, x23
;;   ldur x16, [x17, #-8]
;;   str x24, [x4, x21]
;;   add x17, x4, x22
;;   stur x16, [x17, #-8]
;;   b L10
;; L11:
;;   tst w19, #0x4
;;   b.eq L12
;;   ldr w24, [x4, x20]
;;   add x17, x4, x23
;;   ldur w16, [x17, #-4]
;;   str w24, [x4, x21]
;;   add x17, x4, x22
;;   stur w16, [x17, #-4]
;;   b L10
;; L12:
;;   tst w19, #0x2
;;   b.eq L13
;;   ldrh w24, [x4, x20]
;;   add x17, x4, x23
;;   ldurh w16, [x17, #-2]
;;   strh w24, [x4, x21]
;;   add x17, x4, x22
;;   sturh w16, [x17, #-2]
;;   b L10
;; L13:
;;   tst w19, #0x1
;;   b.eq L10
;;   ldrb w24, [x4, x20]
;;   strb w24, [x4, x21]
;;   b L10
;; L9:
;;   cmp x19, #64
;;   b.hi L2
;;   ldr q0, [x4, x20]
;;   add x17, x4, x20
;;   ldr q1, [x17, #16]
;;   add x17, x4, x23
;;   ldur q2, [x17, #-32]
;;   add x17, x4, x23
;;   ldur q31, [x17, #-16]
;;   str q0, [x4, x21]
;;   add x17, x4, x21
;;   str q1, [x17, #16]
;;   add x17, x4, x22
;;   stur q2, [x17, #-32]
;;   add x17, x4, x22
;;   stur q31, [x17, #-16]
;; L10:
;; L3:
;;   ldr x6, [x1, #40]
;;   ldp x2, x1, [x1, #24]
;;   cmp x6, x0
;;   b.ne L14
;;   ldr x16, [x2, #0]
;;   br x16
;; L14:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   str x19, [x1, #64]
;;   str x20, [x1, #56]
;;   str x21, [x1, #48]
;;   adr x2, L17
;;   ldr x16, L17
;;   br x16
;; L17:
;;   handler memory.copy m0 m0 s6
;;   word 0x6
;;   word 0x0
;;   address L16
;; L16:
;;   ldr x19, [x1, #64]
;;   ldr x20, [x1, #56]
;;   ldr x21, [x1, #48]
;;   b L3
;; L4:
;;   mov x5, x21
;;   adr x2, L5
;; L18:
;;   movz x3, #258
;;   ldr x16, L15
;;   br x16
;; L6:
;;   mov x5, x20
;;   adr x2, L7
;;   b L18
;; L15:
;;   handler raise
