;; A cast to a final type compares the header, to another one looks at the display.
(module
  (type $base (sub (struct (field i32))))
  (type $leaf (sub final $base (struct (field i32 i32))))
  (func (param $r anyref) (result (ref $leaf)) (ref.cast (ref $leaf) (local.get $r)))
  (func (param $r anyref) (result i32) (ref.test (ref $base) (local.get $r))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   ref.cast type 1 s0
;;   return s0
;;
;; x64
;;   word 0x38
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;; L4:
;;   movl rbp, rbx
;;   testl rbp, rbp
;;   je L3
;;   testb rbp, 0x1
;;   jne L3
;;   movq r11, [rdi + 0x20]
;;   cmpl [r11 + rbp*1], header of type 1
;;   jne L3
;; L2:
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L5
;;   jmpq [rdx]
;; L5:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L3:
;;   leaq rdx, L4
;; L7:
;;   movl rcx, 0x11
;;   jmpq L6
;; L6:
;;   handler raise
;; aarch64
;;   word 0x38
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;; L4:
;;   mov w20, w19
;;   cbz w20, L3
;;   tst w20, #0x1
;;   b.ne L3
;;   ldr x16, [x0, #32]
;;   ldr w15, [x16, x20]
;;   mov w17, header of type 1
;;   cmp w15, w17
;;   b.ne L3
;; L2:
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L5
;;   ldr x16, [x2, #0]
;;   br x16
;; L5:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L3:
;;   adr x2, L4
;; L7:
;;   movz x3, #17
;;   ldr x16, L6
;;   br x16
;; L6:
;;   handler raise
;; function f1: frame params 1 header s1 locals s4 stack s4 size 5
;;   s4 = ref.test type 0 s0
;;   return s4
;;
;; x64
;;   word 0x38
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl r10, rbx
;;   testl r10, r10
;;   je L3
;;   testb r10, 0x1
;;   jne L3
;;   movq r11, [rdi + 0x20]
;;   movl r10, [r11 + r10*1]
;;   cmpl r10, header of type 0
;;   je L2
;;   shrl r10, 0x2
;;   movq r11, [rdi]
;;   andl r10, [r11 + field]
;;   movq r11, [r11 + field]
;;   movl r10, [r11 + r10*4]
;;   cmpl [r11 + r10*4], type 0
;;   jne L3
;; L2:
;;   movl rbp, 0x1
;;   jmp L4
;; L3:
;;   movl rbp, 0x0
;; L4:
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L5
;;   jmpq [rdx]
;; L5:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; aarch64
;;   word 0x38
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   mov w21, w19
;;   cbz w21, L3
;;   tst w21, #0x1
;;   b.ne L3
;;   ldr x16, [x0, #32]
;;   ldr w21, [x16, x21]
;;   mov w17, header of type 0
;;   cmp w21, w17
;;   b.eq L2
;;   lsr w21, w21, #2
;;   ldr x16, [x0, #0]
;;   ldr w15, [x16, #288]
;;   and w21, w21, w15
;;   ldr x16, [x16, #280]
;;   ldr w21, [x16, x21, lsl #2]
;;   ldr w15, [x16, x21, lsl #2]
;;   mov w17, type 0
;;   cmp w15, w17
;;   b.ne L3
;; L2:
;;   movz x20, #1
;;   b L4
;; L3:
;;   movz x20, #0
;; L4:
;;   str x20, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L5
;;   ldr x16, [x2, #0]
;;   br x16
;; L5:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
