;; A 64-bit address and its offset may wrap around, which is out of bounds.
(module
  (memory i64 1)
  (func (param $p i64) (result i64) (i64.load offset=16 (local.get $p))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   s4 = i64.load m0[s0 + 0x10]
;;   return s4
;;
;; x64
;;   word 0x38
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl r11, 0x18
;;   addq r11, rbx
;; L3:
;;   jb L2
;;   cmpq r11, r9
;; L5:
;;   ja L4
;;   movq rbp, [r8 + r11*1 - 0x8]
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
;;   leaq rdx, L3
;; L8:
;;   movl rcx, 0x2
;;   jmpq L7
;; L4:
;;   leaq r9, [r11 - 0x8]
;;   leaq rdx, L5
;; L9:
;;   movl rcx, 0x102
;;   jmpq L7
;; L7:
;;   handler raise
;; aarch64
;;   word 0x38
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   movz x16, #24
;;   adds x16, x16, x19
;; L3:
;;   b.hs L2
;;   cmp x16, x5
;; L5:
;;   b.hi L4
;;   add x17, x4, x16
;;   ldur x20, [x17, #-8]
;;   str x20, [x1, #0]
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
;;   adr x2, L3
;; L8:
;;   movz x3, #2
;;   ldr x16, L7
;;   br x16
;; L4:
;;   sub x5, x16, #8
;;   adr x2, L5
;; L9:
;;   movz x3, #258
;;   ldr x16, L7
;;   br x16
;; L7:
;;   handler raise
