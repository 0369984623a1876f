;; The locals of a loop are in registers at its header; a stub behind the function
;; loads them for an interpreter that continues there.
(module
  (func (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s5 size 7
;;   zero s4 x1
;; L1: (loop)
;;   s4 = i32.add s4 s0
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   return s4
;;
;; x64
;;   word 0x48
;;   address L2
;; L2:
;;   movq rbx, [rsi]
;;   movl rbp, 0x0
;; L1:
;;   addl rbp, rbx
;;   subl rbx, 0x1
;;   testl rbx, rbx
;;   jne L1
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L4
;;   jmpq [rdx]
;; L4:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L3:
;;   address L6
;; L6:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x20]
;;   jmp L1
;; aarch64
;;   word 0x48
;;   address L2
;; L2:
;;   ldr x19, [x1, #0]
;;   movz x20, #0
;;   nop
;;   nop
;; L1:
;;   add w20, w20, w19
;;   sub w19, w19, #1
;;   cbnz w19, L1
;;   str x20, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
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
;; L3:
;;   address L6
;; L6:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #32]
;;   b L1
