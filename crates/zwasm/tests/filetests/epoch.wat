;; The epoch is compared with the deadline at entries and loop headers.
;;! flags epoch
(module
  (func (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   epoch
;; L1: (loop)
;;   epoch
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   return
;;
;; x64
;;   word 0x40
;;   address L2
;; L2:
;;   movq rbx, [rdi + 0x68]
;;   movq r11, [rdi + 0x70]
;;   movq r11, [r11]
;;   cmpq r11, [rbx + 0x8]
;;   jae L3
;; L4:
;;   movq rbx, [rsi]
;; L1:
;;   movq rbp, [rdi + 0x68]
;;   movq r11, [rdi + 0x70]
;;   movq r11, [r11]
;;   cmpq r11, [rbp + 0x8]
;;   jae L6
;; L7:
;;   subl rbx, 0x1
;;   testl rbx, rbx
;;   jne L1
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
;; L3:
;;   leaq rdx, L11
;;   jmpq L11
;; L11:
;;   handler epoch
;;   word 0x8
;;   address L10
;; L10:
;;   jmp L4
;; L5:
;;   address L12
;; L12:
;;   movq rbx, [rsi]
;;   jmp L1
;; L6:
;;   movq [rsi], rbx
;;   leaq rdx, L14
;;   jmpq L14
;; L14:
;;   handler epoch
;;   word 0x8
;;   address L13
;; L13:
;;   movq rbx, [rsi]
;;   jmp L7
;; aarch64
;;   word 0x40
;;   address L2
;; L2:
;;   ldr x19, [x0, #104]
;;   ldr x16, [x0, #112]
;;   ldr x16, [x16, #0]
;;   ldr x15, [x19, #8]
;;   cmp x16, x15
;;   b.hs L3
;; L4:
;;   ldr x19, [x1, #0]
;;   nop
;; L1:
;;   ldr x20, [x0, #104]
;;   ldr x16, [x0, #112]
;;   ldr x16, [x16, #0]
;;   ldr x15, [x20, #8]
;;   cmp x16, x15
;;   b.hs L6
;; L7:
;;   sub w19, w19, #1
;;   cbnz w19, L1
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
;; L3:
;;   adr x2, L11
;;   ldr x16, L11
;;   br x16
;; L11:
;;   handler epoch
;;   word 0x8
;;   address L10
;; L10:
;;   b L4
;; L5:
;;   address L12
;; L12:
;;   ldr x19, [x1, #0]
;;   b L1
;; L6:
;;   str x19, [x1, #0]
;;   adr x2, L14
;;   ldr x16, L14
;;   br x16
;; L14:
;;   handler epoch
;;   word 0x8
;;   address L13
;; L13:
;;   ldr x19, [x1, #0]
;;   b L7
