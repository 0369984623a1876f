;; A small function takes the place of its call. Its parameter is the caller's local,
;; its own local has a slot behind those of the caller, and dies with it: nothing of
;; it is stored before the loop's next round or a call.
(module
  (memory 1)
  (func $next (param i32) (result i32) (local i32)
    (local.set 1 (i32.load (local.get 0)))
    (i32.store (local.get 0) (i32.add (local.get 1) (i32.const 1)))
    (i32.load8_u (local.get 1)))
  (func (param $at i32) (result i32) (local $sum i32)
    (loop $more
      (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
      (br_if $more (i32.ne (call $next (local.get $at)) (local.get $sum))))
    (local.get $sum)))
;;! expected
;; function f0 <next>: frame params 1 header s1 locals s4 stack s5 size 8
;;   zero s4 x1
;;   s4 = i32.load m0[s0 + 0x0]
;;   s6 = i32.add s4 0x1
;;   i32.store m0[s0 + 0x0] s6
;;   s5 = i32.load8_u m0[s4 + 0x0]
;;   return s5
;;
;; x64
;;   word 0x50
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl rbp, [r8 + rbx*1]
;;   leal r10, [rbp + 0x1]
;;   movl [r8 + rbx*1], r10
;;   movzbl r10, [r8 + rbp*1]
;;   movq [rsi], r10
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
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
;;   word 0x50
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   ldr w20, [x4, x19]
;;   add w21, w20, #1
;;   add x17, x4, x19
;;   ldrb wzr, [x17, #3]
;;   str w21, [x17, #0]
;;   ldrb w21, [x4, x20]
;;   str x21, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
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
;; function f1: frame params 1 header s1 locals s4 stack s11 size 14
;;   zero s4 x1
;; L1: (loop)
;;   s4 = i32.add s4 0x1
;;   s5 = i32.load m0[s0 + 0x0]
;;   s12 = i32.add s5 0x1
;;   i32.store m0[s0 + 0x0] s12
;;   s11 = i32.load8_u m0[s5 + 0x0]
;;   s11 = i32.ne s11 s4
;;   br_if s11 L1
;;   return s4
;;
;; x64
;;   word 0x80
;;   address L3
;; L3:
;;   movl rbx, 0x0
;;   movq rbp, [rsi]
;; L1:
;;   addl rbx, 0x1
;;   movl r10, [r8 + rbp*1]
;;   leal r12, [r10 + 0x1]
;;   movl [r8 + rbp*1], r12
;;   movzbl r12, [r8 + r10*1]
;;   cmpl r12, rbx
;;   jne L1
;;   movq [rsi], rbx
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L5
;;   jmpq [rdx]
;; L5:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   address L7
;; L7:
;;   movq rbx, [rsi + 0x20]
;;   movq rbp, [rsi]
;;   jmp L1
;; aarch64
;;   word 0x80
;;   address L3
;; L3:
;;   movz x19, #0
;;   ldr x20, [x1, #0]
;;   nop
;;   nop
;; L1:
;;   add w19, w19, #1
;;   ldr w21, [x4, x20]
;;   add w22, w21, #1
;;   add x17, x4, x20
;;   ldrb wzr, [x17, #3]
;;   str w22, [x17, #0]
;;   ldrb w22, [x4, x21]
;;   cmp w22, w19
;;   b.ne L1
;;   str x19, [x1, #0]
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
;; L4:
;;   address L7
;; L7:
;;   ldr x19, [x1, #32]
;;   ldr x20, [x1, #0]
;;   b L1
