;; A branch that carries many values moves them with one instruction, and so do a return
;; and a tail call: their code does not grow with what they carry.
(module
  (type $many (func (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "" "values" (func $values (type $many)))
  (import "" "take" (func $take (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (func (param $i i32) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (block $out (type $many)
      (i64.const 1)
      (call $values)
      (br_if $out (local.get $i))
      (br_if 1 (local.get $i))
      (return_call $take))))
;;! expected
;; function f2: frame params 1 header s33 locals s36 stack s36 size 73
;;   call f0 s37
;;   s36 = 0x1
;;   br_unless s0 L2
;;   s36 = slots s37 x33
;;   br L1
;; L2:
;;   br_unless s0 L3
;;   return s37 x33
;; L3:
;;   return_call f1 s37
;; L1:
;;   return s36 x33
;;
;; x64
;;   word 0x258
;;   address L4
;; L4:
;;   movq rcx, [rdi + 0x60]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x128]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x10]
;;   ja L5
;; L6:
;;   leaq rdx, L7
;;   movq [rsi + 0x230], rdx
;;   movq [rsi + 0x238], rsi
;;   movq [rsi + 0x240], rdi
;;   movq rsi, r10
;;   movq rdi, [rcx + 0x10]
;;   movq r11, [rdi + 0x30]
;;   movq r8, [r11]
;;   movq r9, [r11 + 0x8]
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L7:
;;   address L8
;; L8:
;;   movq rbx, [rsi]
;;   testl rbx, rbx
;;   movq [rsi + 0x120], 0x1
;;   je L2
;;   movq r11, 0xffffffdf
;; L9:
;;   movsd xmm15, [rsi + r11*8 + 0x230]
;;   movsd [rsi + r11*8 + 0x228], xmm15
;;   addq r11, 0x1
;;   jne L9
;;   jmp L1
;; L2:
;;   movq rbx, [rsi]
;;   testl rbx, rbx
;;   je L3
;;   movq r11, 0xffffffdf
;; L10:
;;   movsd xmm15, [rsi + r11*8 + 0x230]
;;   movsd [rsi + r11*8 + 0x108], xmm15
;;   addq r11, 0x1
;;   jne L10
;;   movq rdx, [rsi + 0x108]
;;   movq rax, [rsi + 0x118]
;;   movq rsi, [rsi + 0x110]
;;   cmpq rax, rdi
;;   jne L11
;;   jmpq [rdx]
;; L3:
;;   movq r11, 0xffffffdf
;; L12:
;;   movsd xmm15, [rsi + r11*8 + 0x230]
;;   movsd [rsi + r11*8 + 0x108], xmm15
;;   addq r11, 0x1
;;   jne L12
;;   movq rcx, [rdi + 0x60]
;;   movq rcx, [rcx + 0x8]
;;   movq rax, [rcx]
;;   movq rdx, [rax]
;;   addq rdx, rsi
;;   cmpq rdx, [rdi + 0x10]
;;   ja L13
;; L14:
;;   movq rdx, rdi
;;   movq rdi, [rcx + 0x10]
;;   movq [rdi + 0x80], rdx
;;   movq r11, [rdi + 0x30]
;;   movq r8, [r11]
;;   movq r9, [r11 + 0x8]
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L1:
;;   movq r11, 0xffffffdf
;; L15:
;;   movsd xmm15, [rsi + r11*8 + 0x228]
;;   movsd [rsi + r11*8 + 0x108], xmm15
;;   addq r11, 0x1
;;   jne L15
;;   movq rdx, [rsi + 0x108]
;;   movq rax, [rsi + 0x118]
;;   movq rsi, [rsi + 0x110]
;;   cmpq rax, rdi
;;   jne L11
;;   jmpq [rdx]
;; L11:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L5:
;;   movq rax, [rdi + 0x18]
;;   jmp L6
;; L13:
;;   movq rax, [rdi + 0x18]
;;   jmp L14
;; aarch64
;;   word 0x258
;;   address L4
;; L4:
;;   ldr x3, [x0, #96]
;;   ldr x3, [x3, #0]
;;   ldr x6, [x3, #0]
;;   add x7, x1, #296
;;   ldr x2, [x6, #0]
;;   add x2, x2, x7
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L5
;; L6:
;;   adr x2, L7
;;   str x2, [x1, #560]
;;   str x1, [x1, #568]
;;   str x0, [x1, #576]
;;   mov x1, x7
;;   ldr x0, [x3, #16]
;;   ldr x16, [x0, #48]
;;   ldr x4, [x16, #0]
;;   ldr x5, [x16, #8]
;;   add x2, x6, #8
;;   ldr x16, [x2, #0]
;;   br x16
;; L7:
;;   address L8
;; L8:
;;   ldr x19, [x1, #0]
;;   movz x15, #1
;;   str x15, [x1, #288]
;;   cbz w19, L2
;;   add x16, x1, #296
;;   add x17, x1, #288
;;   movz x15, #264
;;   add x15, x15, x16
;; L9:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L9
;;   b L1
;; L2:
;;   ldr x19, [x1, #0]
;;   cbz w19, L3
;;   add x16, x1, #296
;;   mov x17, x1
;;   movz x15, #264
;;   add x15, x15, x16
;; L10:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L10
;;   ldr x6, [x1, #280]
;;   ldp x2, x1, [x1, #264]
;;   cmp x6, x0
;;   b.ne L11
;;   ldr x16, [x2, #0]
;;   br x16
;; L3:
;;   add x16, x1, #296
;;   mov x17, x1
;;   movz x15, #264
;;   add x15, x15, x16
;; L12:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L12
;;   ldr x3, [x0, #96]
;;   ldr x3, [x3, #8]
;;   ldr x6, [x3, #0]
;;   ldr x2, [x6, #0]
;;   add x2, x2, x1
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L13
;; L14:
;;   mov x2, x0
;;   ldr x0, [x3, #16]
;;   str x2, [x0, #128]
;;   ldr x16, [x0, #48]
;;   ldr x4, [x16, #0]
;;   ldr x5, [x16, #8]
;;   add x2, x6, #8
;;   ldr x16, [x2, #0]
;;   br x16
;; L1:
;;   add x16, x1, #288
;;   mov x17, x1
;;   movz x15, #264
;;   add x15, x15, x16
;; L15:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L15
;;   ldr x6, [x1, #280]
;;   ldp x2, x1, [x1, #264]
;;   cmp x6, x0
;;   b.ne L11
;;   ldr x16, [x2, #0]
;;   br x16
;; L11:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L5:
;;   ldr x6, [x0, #24]
;;   b L6
;; L13:
;;   ldr x6, [x0, #24]
;;   b L14
