;; A table of distances behind the jump; what is beyond it takes the last entry.
(module
  (func (param $n i32) (result i32)
    (block $two
      (block $one
        (block $zero (br_table $zero $one $two (local.get $n)))
        (return (i32.const 10)))
      (return (i32.const 11)))
    (i32.const 12)))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   br_table s0 [0..3] L3 L2 L1
;; L3:
;;   return 0xa
;; L2:
;;   return 0xb
;; L1:
;;   return 0xc
;;
;; x64
;;   word 0x38
;;   address L4
;; L4:
;;   movq rbx, [rsi]
;;   movl r11, 0x2
;;   cmpl rbx, 0x2
;;   cmovb r11, rbx
;;   leaq rbp, L5
;;   movslq r11, [rbp + r11*4]
;;   addq rbp, r11
;;   jmpq rbp
;; L5:
;;   entry L3
;;   entry L2
;;   entry L1
;; L3:
;;   movq [rsi], 0xa
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L2:
;;   movq [rsi], 0xb
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L1:
;;   movq [rsi], 0xc
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
;; aarch64
;;   word 0x38
;;   address L4
;; L4:
;;   ldr x19, [x1, #0]
;;   movz w16, #2
;;   cmp w19, w16
;;   csel w16, w19, w16, lo
;;   adr x20, L5
;;   ldrsw x16, [x20, x16, lsl #2]
;;   add x20, x20, x16
;;   br x20
;; L5:
;;   entry L3
;;   entry L2
;;   entry L1
;; L3:
;;   movz x15, #10
;;   str x15, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L6
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   movz x15, #11
;;   str x15, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L6
;;   ldr x16, [x2, #0]
;;   br x16
;; L1:
;;   movz x15, #12
;;   str x15, [x1, #0]
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
