;; A comparison that a branch uses becomes flags, never a value.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $a) (local.get $b))
      (then (i32.const 1))
      (else (i32.const 2)))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = i32.lt_u s0 s1
;;   br_unless s5 L1
;;   s5 = 0x1
;;   br L2
;; L1:
;;   s5 = 0x2
;; L2:
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L3
;; L3:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x8]
;;   cmpl rbx, rbp
;;   jae L1
;;   movq [rsi + 0x28], 0x1
;;   jmp L2
;; L1:
;;   movq [rsi + 0x28], 0x2
;; L2:
;;   movq rbx, [rsi + 0x28]
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
;; aarch64
;;   word 0x48
;;   address L3
;; L3:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #8]
;;   cmp w19, w20
;;   b.hs L1
;;   movz x15, #1
;;   str x15, [x1, #40]
;;   b L2
;; L1:
;;   movz x15, #2
;;   str x15, [x1, #40]
;; L2:
;;   ldr x19, [x1, #40]
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
;;   cmp x6, x0
;;   b.ne L4
;;   ldr x16, [x2, #0]
;;   br x16
;; L4:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
