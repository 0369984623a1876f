;; Without BMI2 a count has to be in `cl`; a constant one is an immediate.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (i32.shl (local.get $a) (local.get $b)))
  (func (param $a i64) (result i64)
    (i64.shr_u (local.get $a) (i64.const 68))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i32.shl s0 s1
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq rbp, [rsi]
;;   movq rcx, rbx
;;   shll rbp, rcx
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
;;   lsl w21, w19, w20
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
;; function f1: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i64.shr_u s0 0x44
;;   return s4
;;
;; x64
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   shrq rbx, 0x4
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
;;   lsr x20, x19, #4
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
