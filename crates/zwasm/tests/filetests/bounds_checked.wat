;; Without guard pages the end of an access is compared with the size.
;;! flags no-guards
(module
  (memory 1)
  (func (param $p i32) (result i32)
    (i32.store offset=8 (local.get $p) (i32.load (local.get $p)))
    (i32.load8_u offset=100 (local.get $p))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   s5 = i32.load m0[s0 + 0x0]
;;   i32.store m0[s0 + 0x8] s5
;;   s4 = i32.load8_u m0[s0 + 0x64]
;;   return s4
;;
;; x64
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   leaq r11, [rbx + 0x4]
;;   cmpq r11, r9
;; L3:
;;   ja L2
;;   movl rbp, [r8 + r11*1 - 0x4]
;;   leaq r11, [rbx + 0xc]
;;   cmpq r11, r9
;; L5:
;;   ja L4
;;   movl [r8 + r11*1 - 0x4], rbp
;;   leaq r11, [rbx + 0x65]
;;   cmpq r11, r9
;; L7:
;;   ja L6
;;   movzbl rbp, [r8 + r11*1 - 0x1]
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
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
;;   leaq r9, [r11 - 0x4]
;;   leaq rdx, L3
;; L10:
;;   movl rcx, 0x102
;;   jmpq L9
;; L4:
;;   leaq r9, [r11 - 0x4]
;;   leaq rdx, L5
;;   jmp L10
;; L6:
;;   leaq r9, [r11 - 0x1]
;;   leaq rdx, L7
;;   jmp L10
;; L9:
;;   handler raise
;; aarch64
;;   word 0x40
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   add x16, x19, #4
;;   cmp x16, x5
;; L3:
;;   b.hi L2
;;   add x17, x4, x16
;;   ldur w20, [x17, #-4]
;;   add x16, x19, #12
;;   cmp x16, x5
;; L5:
;;   b.hi L4
;;   add x17, x4, x16
;;   stur w20, [x17, #-4]
;;   add x16, x19, #101
;;   cmp x16, x5
;; L7:
;;   b.hi L6
;;   add x17, x4, x16
;;   ldurb w20, [x17, #-1]
;;   str x20, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
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
;;   sub x5, x16, #4
;;   adr x2, L3
;; L10:
;;   movz x3, #258
;;   ldr x16, L9
;;   br x16
;; L4:
;;   sub x5, x16, #4
;;   adr x2, L5
;;   b L10
;; L6:
;;   sub x5, x16, #1
;;   adr x2, L7
;;   b L10
;; L9:
;;   handler raise
