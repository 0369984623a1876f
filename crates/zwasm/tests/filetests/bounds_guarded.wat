;; Guard pages bound an access with a 32-bit address: it is one instruction.
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
;;   movl rbp, [r8 + rbx*1]
;;   movl [r8 + rbx*1 + 0x8], rbp
;;   movzbl rbp, [r8 + rbx*1 + 0x64]
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
;;   ldr w20, [x4, x19]
;;   add x17, x4, x19
;;   ldrb wzr, [x17, #11]
;;   str w20, [x17, #8]
;;   add x17, x4, x19
;;   ldrb w20, [x17, #100]
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
