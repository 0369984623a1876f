;; Fuel is paid by block: a subtraction and a jump that is not taken.
;;! flags fuel
(module
  (func (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   fuel 1
;; L1: (loop)
;;   fuel 5
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   return
;;
;; x64
;;   word 0x40
;;   address L2
;; L2:
;;   movq r11, [rdi + 0x68]
;;   movq r15, [r11]
;;   subq r15, 0x1
;;   jl L3
;; L4:
;;   movq rbx, [rsi]
;; L1:
;;   subq r15, 0x5
;;   jl L6
;; L7:
;;   subl rbx, 0x1
;;   testl rbx, rbx
;;   jne L1
;;   movq r11, [rdi + 0x68]
;;   movq [r11], r15
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
;; L5:
;;   address L11
;; L11:
;;   movq rbx, [rsi]
;;   movq r11, [rdi + 0x68]
;;   movq r15, [r11]
;;   jmp L1
;; L3:
;;   leaq r11, L4
;; L13:
;;   jmpq L12
;; L6:
;;   leaq r11, L7
;;   jmp L13
;; L12:
;;   handler refuel
;; aarch64
;;   word 0x40
;;   address L2
;; L2:
;;   ldr x16, [x0, #104]
;;   ldr x28, [x16, #0]
;;   subs x28, x28, #1
;;   b.mi L3
;; L4:
;;   ldr x19, [x1, #0]
;;   nop
;;   nop
;;   nop
;; L1:
;;   subs x28, x28, #5
;;   b.mi L6
;; L7:
;;   sub w19, w19, #1
;;   cbnz w19, L1
;;   ldr x16, [x0, #104]
;;   str x28, [x16, #0]
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
;; L5:
;;   address L11
;; L11:
;;   ldr x19, [x1, #0]
;;   ldr x16, [x0, #104]
;;   ldr x28, [x16, #0]
;;   b L1
;; L3:
;;   adr x15, L4
;; L13:
;;   ldr x16, L12
;;   br x16
;; L6:
;;   adr x15, L7
;;   b L13
;; L12:
;;   handler refuel
