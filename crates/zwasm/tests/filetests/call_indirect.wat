;; Bounds, null and type are checked; if types are not the same, the handler decides
;; whether one is a subtype.
(module
  (type $t (func (param i32) (result i32)))
  (table 4 funcref)
  (func (param $a i32) (param $i i32) (result i32)
    (call_indirect (type $t) (local.get $a) (local.get $i))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 9
;;   s5 = s0
;;   call_indirect type 0 t0[s1] s5
;;   return s5
;;
;; x64
;;   word 0x58
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movq [rsi + 0x28], rbx
;;   movq rbp, [rsi + 0x8]
;;   movq rax, rbp
;;   movl rax, rax
;;   movq rdx, [rdi + 0x40]
;;   movq rdx, [rdx]
;;   cmpq rax, [rdx + 0x8]
;; L4:
;;   jae L3
;;   movq rdx, [rdx]
;;   movq rcx, [rdx + rax*8]
;;   testq rcx, rcx
;; L6:
;;   je L5
;;   cmpl [rcx + 0x18], type 0
;;   jne L7
;; L8:
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x28]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x10]
;;   ja L9
;; L10:
;;   leaq rdx, L11
;;   movq [rsi + 0x30], rdx
;;   movq [rsi + 0x38], rsi
;;   movq [rsi + 0x40], rdi
;;   movq rsi, r10
;;   cmpq rdi, [rcx + 0x10]
;;   je L12
;;   movq rdi, [rcx + 0x10]
;;   movq r11, [rdi + 0x30]
;;   movq r8, [r11]
;;   movq r9, [r11 + 0x8]
;; L12:
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L11:
;;   address L13
;; L13:
;; L2:
;;   movq rbx, [rsi + 0x28]
;;   movq [rsi], rbx
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
;;   cmpq rax, rdi
;;   jne L14
;;   jmpq [rdx]
;; L14:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L7:
;;   leaq rdx, L16
;;   jmpq L16
;; L16:
;;   handler call_indirect type 0 t0[s1] s5
;;   word 0x100060005
;;   word 0x4000000000
;;   address L2
;; L9:
;;   movq rax, [rdi + 0x18]
;;   jmp L10
;; L3:
;;   leaq rdx, L4
;; L17:
;;   movl rcx, 0x4
;;   jmpq L15
;; L5:
;;   leaq rdx, L6
;; L18:
;;   movl rcx, 0x5
;;   jmpq L15
;; L15:
;;   handler raise
;; aarch64
;;   word 0x58
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   str x19, [x1, #40]
;;   ldr x20, [x1, #8]
;;   mov x6, x20
;;   mov w6, w6
;;   ldr x2, [x0, #64]
;;   ldr x2, [x2, #0]
;;   ldr x15, [x2, #8]
;;   cmp x6, x15
;; L4:
;;   b.hs L3
;;   ldr x2, [x2, #0]
;;   ldr x3, [x2, x6, lsl #3]
;; L6:
;;   cbz x3, L5
;;   ldr w15, [x3, #24]
;;   mov w17, type 0
;;   cmp w15, w17
;;   b.ne L7
;; L8:
;;   ldr x6, [x3, #0]
;;   add x7, x1, #40
;;   ldr x2, [x6, #0]
;;   add x2, x2, x7
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L9
;; L10:
;;   adr x2, L11
;;   stp x2, x1, [x1, #48]
;;   str x0, [x1, #64]
;;   mov x1, x7
;;   ldr x15, [x3, #16]
;;   cmp x0, x15
;;   b.eq L12
;;   ldr x0, [x3, #16]
;;   ldr x16, [x0, #48]
;;   ldr x4, [x16, #0]
;;   ldr x5, [x16, #8]
;; L12:
;;   add x2, x6, #8
;;   ldr x16, [x2, #0]
;;   br x16
;; L11:
;;   address L13
;; L13:
;; L2:
;;   ldr x19, [x1, #40]
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
;;   cmp x6, x0
;;   b.ne L14
;;   ldr x16, [x2, #0]
;;   br x16
;; L14:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L7:
;;   adr x2, L16
;;   ldr x16, L16
;;   br x16
;; L16:
;;   handler call_indirect type 0 t0[s1] s5
;;   word 0x100060005
;;   word 0x4000000000
;;   address L2
;; L9:
;;   ldr x6, [x0, #24]
;;   b L10
;; L3:
;;   adr x2, L4
;; L17:
;;   movz x3, #4
;;   ldr x16, L15
;;   br x16
;; L5:
;;   adr x2, L6
;; L18:
;;   movz x3, #5
;;   ldr x16, L15
;;   br x16
;; L15:
;;   handler raise
