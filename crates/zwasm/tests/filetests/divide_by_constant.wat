;; Division by a constant needs none of the checks, except for what traps always;
;; by a variable it needs both.
(module
  (func (param $a i32) (result i32) (i32.div_s (local.get $a) (i32.const 7)))
  (func (param $a i32) (result i32) (i32.div_u (local.get $a) (i32.const 8)))
  (func (param $a i64) (param $b i64) (result i64)
    (i64.div_s (local.get $a) (local.get $b))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i32.div_s s0 0x7
;;   return s4
;;
;; x64
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl r11, 0x92492493
;;   movslq rbp, rbx
;;   imulq rbp, r11
;;   sarq rbp, 0x22
;;   movl r11, rbx
;;   sarl r11, 0x1f
;;   subl rbp, r11
;;   movq [rsi], rbp
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
;;   word 0x40
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   movz x20, #7
;;   sdiv w20, w19, w20
;;   str x20, [x1, #0]
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
;; function f1: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i32.div_u s0 0x8
;;   return s4
;;
;; x64
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   shrl rbx, 0x3
;;   movq [rsi], rbx
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
;;   word 0x40
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   lsr w20, w19, #3
;;   str x20, [x1, #0]
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
;; function f2: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i64.div_s s0 s1
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq rbp, [rsi]
;;   movq rax, rbp
;;   testq rbx, rbx
;; L3:
;;   je L2
;;   cmpq rbx, 0xff
;;   jne L5
;;   cmpq rax, 0x1
;; L7:
;;   jo L6
;; L5:
;;   cqto rdx, rax
;;   idivq rax, rdx, rbx, trap
;; L4:
;;   movq [rsi], rax
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
;; L6:
;;   leaq rdx, L7
;; L10:
;;   movl rcx, 0x7
;;   jmpq L9
;; L2:
;;   leaq rdx, L3
;; L11:
;;   movl rcx, 0x8
;;   jmpq L9
;; L9:
;;   handler raise
;; aarch64
;;   word 0x48
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #8]
;; L3:
;;   cbz x20, L2
;;   cmn x20, #1
;;   ccmp x19, #1, #0, eq
;; L5:
;;   b.vs L4
;;   sdiv x21, x19, x20
;;   str x21, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
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
;; L4:
;;   adr x2, L5
;; L8:
;;   movz x3, #7
;;   ldr x16, L7
;;   br x16
;; L2:
;;   adr x2, L3
;; L9:
;;   movz x3, #8
;;   ldr x16, L7
;;   br x16
;; L7:
;;   handler raise
