;; Fields and elements: a null check, a bounds check, and an address made of the
;; heap's base and the reference.
(module
  (type $pair (struct (field i32) (field (mut i8))))
  (type $list (array (mut i64)))
  (func (param $p (ref null $pair)) (result i32)
    (struct.set $pair 1 (local.get $p) (struct.get $pair 0 (local.get $p)))
    (struct.get_s $pair 1 (local.get $p)))
  (func (param $l (ref null $list)) (param $i i32) (result i64)
    (array.get $list (local.get $l) (local.get $i))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   s5 = struct.get type 0 s0[0]
;;   struct.set type 0 s0[1] s5
;;   s4 = struct.get_s type 0 s0[1]
;;   return s4
;;
;; x64
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl rbx, rbx
;;   testl rbx, rbx
;; L3:
;;   je L2
;;   movq r11, [rdi + 0x20]
;;   movl rbp, [r11 + rbx*1 + 0x8]
;;   testl rbx, rbx
;; L5:
;;   je L4
;;   movq r11, [rdi + 0x20]
;;   movb [r11 + rbx*1 + 0xc], rbp
;;   testl rbx, rbx
;; L7:
;;   je L6
;;   movq r11, [rdi + 0x20]
;;   movsbl rbp, [r11 + rbx*1 + 0xc]
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
;;   leaq rdx, L3
;; L10:
;;   movl rcx, 0xd
;;   jmpq L9
;; L4:
;;   leaq rdx, L5
;;   jmp L10
;; L6:
;;   leaq rdx, L7
;;   jmp L10
;; L9:
;;   handler raise
;; aarch64
;;   word 0x40
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   mov w19, w19
;; L3:
;;   cbz w19, L2
;;   ldr x16, [x0, #32]
;;   add x17, x16, x19
;;   ldr w20, [x17, #8]
;; L5:
;;   cbz w19, L4
;;   ldr x16, [x0, #32]
;;   add x17, x16, x19
;;   strb w20, [x17, #12]
;; L7:
;;   cbz w19, L6
;;   ldr x16, [x0, #32]
;;   add x17, x16, x19
;;   ldrsb w20, [x17, #12]
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
;;   adr x2, L3
;; L10:
;;   movz x3, #13
;;   ldr x16, L9
;;   br x16
;; L4:
;;   adr x2, L5
;;   b L10
;; L6:
;;   adr x2, L7
;;   b L10
;; L9:
;;   handler raise
;; function f1: frame params 2 header s2 locals s5 stack s5 size 7
;;   s5 = array.get type 1 s0[s1]
;;   return s5
;;
;; x64
;;   word 0x48
;;   address L1
;; L1:
;;   movq rbx, [rsi + 0x8]
;;   movq rbp, [rsi]
;;   movl rbp, rbp
;;   testl rbp, rbp
;; L3:
;;   je L2
;;   movq r11, [rdi + 0x20]
;;   cmpl rbx, [r11 + rbp*1 + 0x4]
;; L5:
;;   jae L4
;;   leal r10, [rbp + rbx*8]
;;   movq r10, [r11 + r10*1 + 0x8]
;;   movq [rsi], r10
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
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
;;   movl rcx, 0xe
;;   jmpq L7
;; L4:
;;   leaq rdx, L5
;; L9:
;;   movl rcx, 0x10
;;   jmpq L7
;; L7:
;;   handler raise
;; aarch64
;;   word 0x48
;;   address L1
;; L1:
;;   ldr x19, [x1, #8]
;;   ldr x20, [x1, #0]
;;   mov w20, w20
;; L3:
;;   cbz w20, L2
;;   ldr x16, [x0, #32]
;;   add x17, x16, x20
;;   ldr w15, [x17, #4]
;;   cmp w19, w15
;; L5:
;;   b.hs L4
;;   add w21, w20, w19, lsl #3
;;   add x17, x16, x21
;;   ldr x21, [x17, #8]
;;   str x21, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
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
;;   movz x3, #14
;;   ldr x16, L7
;;   br x16
;; L4:
;;   adr x2, L5
;; L9:
;;   movz x3, #16
;;   ldr x16, L7
;;   br x16
;; L7:
;;   handler raise
