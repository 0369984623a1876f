;; Alignment is checked first; what has no instruction of its own is a loop.
(module
  (memory 1 1 shared)
  (func (param $p i32) (param $v i32) (result i32)
    (i32.atomic.rmw.add offset=4 (local.get $p) (local.get $v)))
  (func (param $p i32) (param $v i64) (result i64)
    (i64.atomic.rmw16.xor_u (local.get $p) (local.get $v)))
  (func (param $p i32) (param $v i32)
    (atomic.fence)
    (i32.atomic.store8 offset=1 (local.get $p) (local.get $v))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i32.atomic.rmw.add m0[s0 + 0x4] s1
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbp, [rsi + 0x8]
;;   movq rbx, rbp
;;   movq r10, [rsi]
;;   testb r10, 0x3
;; L3:
;;   jne L2
;;   lock xaddl [r8 + r10*1 + 0x4], rbx
;;   movq [rsi], rbx
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
;;   cmpq rax, rdi
;;   jne L4
;;   jmpq [rdx]
;; L4:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   leaq rdx, L3
;; L6:
;;   movl rcx, 0x12
;;   jmpq L5
;; L5:
;;   handler raise
;; aarch64
;;   word 0x48
;;   address L1
;; L1:
;;   ldr x20, [x1, #8]
;;   ldr x21, [x1, #0]
;;   tst w21, #0x3
;; L3:
;;   b.ne L2
;;   add x17, x4, x21
;;   add x17, x17, #4
;; L4:
;;   ldaxr w19, [x17]
;;   add w15, w19, w20
;;   stlxr w16, w15, [x17]
;;   cbnz w16, L4
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
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
;; L2:
;;   adr x2, L3
;; L7:
;;   movz x3, #18
;;   ldr x16, L6
;;   br x16
;; L6:
;;   handler raise
;; function f1: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i64.atomic.rmw16.xor_u m0[s0 + 0x0] s1
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq r10, [rsi]
;;   testb r10, 0x1
;; L3:
;;   jne L2
;;   movzwl rax, [r8 + r10*1]
;; L4:
;;   movq rbp, rax
;;   xorq rbp, rbx
;;   lock cmpxchgw [r8 + r10*1], rbp, rax
;;   jne L4
;;   movq [rsi], rax
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
;;   cmpq rax, rdi
;;   jne L5
;;   jmpq [rdx]
;; L5:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   leaq rdx, L3
;; L7:
;;   movl rcx, 0x12
;;   jmpq L6
;; L6:
;;   handler raise
;; aarch64
;;   word 0x48
;;   address L1
;; L1:
;;   ldr x20, [x1, #8]
;;   ldr x21, [x1, #0]
;;   tst w21, #0x1
;; L3:
;;   b.ne L2
;;   add x17, x4, x21
;; L4:
;;   ldaxrh w19, [x17]
;;   eor w15, w19, w20
;;   stlxrh w16, w15, [x17]
;;   cbnz w16, L4
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
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
;; L2:
;;   adr x2, L3
;; L7:
;;   movz x3, #18
;;   ldr x16, L6
;;   br x16
;; L6:
;;   handler raise
;; function f2: frame params 2 header s2 locals s5 stack s5 size 7
;;   atomic.fence
;;   i32.atomic.store8 m0[s0 + 0x1] s1
;;   return
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   lock orl [rsi], 0x0
;;   movq rbp, [rsi + 0x8]
;;   movq rbx, rbp
;;   movq r10, [rsi]
;;   xchgb rbx, [r8 + r10*1 + 0x1]
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
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
;;   word 0x48
;;   address L1
;; L1:
;;   dmb ish
;;   ldr x19, [x1, #8]
;;   ldr x20, [x1, #0]
;;   add x17, x4, x20
;;   add x17, x17, #1
;;   stlrb w19, [x17]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
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
