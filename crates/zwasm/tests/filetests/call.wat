;; Arguments are written where the callee's frame begins; its body's address is in
;; its record, at a constant distance from the vmctx.
;;! flags no-inlining
(module
  (func $callee (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (param $a i32) (result i32)
    (i32.mul (call $callee (local.get $a) (i32.const 1)) (local.get $a))))
;;! expected
;; function f0 <callee>: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i32.add s0 s1
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq rbp, [rsi]
;;   addl rbp, rbx
;;   movq [rsi], rbp
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
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #8]
;;   add w21, w19, w20
;;   str x21, [x1, #0]
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
;; function f1: frame params 1 header s1 locals s4 stack s4 size 9
;;   s5 = 0x1
;;   s4 = s0
;;   call f0 s4
;;   s4 = i32.mul s4 s0
;;   return s4
;;
;; x64
;;   word 0x58
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movq [rsi + 0x28], 0x1
;;   movq [rsi + 0x20], rbx
;;   leaq rcx, [rdi + 0x90]
;;   movq rax, [rdi + 0x90]
;;   leaq r10, [rsi + 0x20]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x10]
;;   ja L2
;; L3:
;;   leaq rdx, L4
;;   movq [rsi + 0x30], rdx
;;   movq [rsi + 0x38], rsi
;;   movq [rsi + 0x40], rdi
;;   movq rsi, r10
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   address L5
;; L5:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x20]
;;   imull rbp, rbx
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L6:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   movq rax, [rdi + 0x18]
;;   jmp L3
;; aarch64
;;   word 0x58
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   movz x15, #1
;;   str x15, [x1, #40]
;;   str x19, [x1, #32]
;;   add x3, x0, #144
;;   ldr x6, [x0, #144]
;;   add x7, x1, #32
;;   ldr x2, [x6, #0]
;;   add x2, x2, x7
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L2
;; L3:
;;   adr x2, L4
;;   stp x2, x1, [x1, #48]
;;   str x0, [x1, #64]
;;   mov x1, x7
;;   add x2, x6, #8
;;   ldr x16, [x2, #0]
;;   br x16
;; L4:
;;   address L5
;; L5:
;;   ldr x19, [x1, #32]
;;   ldr x20, [x1, #0]
;;   mul w19, w19, w20
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L6
;;   ldr x16, [x2, #0]
;;   br x16
;; L6:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   ldr x6, [x0, #24]
;;   b L3
