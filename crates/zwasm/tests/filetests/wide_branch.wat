;; Many values stay in their slots; each branch and return moves them at once, by a loop
;; if they are more than that takes.
(module
  (type $many (func (result
    i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32
    i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "host" "many" (func $many (type $many)))
  (func (param i32) (result
    i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32
    i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (block $out (type $many)
      (local.get 0)
      (call $many)
      (br_if $out (i32.lt_s (local.get 0) (i32.const 3)))
      (br $out)))
)
;;! expected
;; function f1: frame params 1 header s36 locals s39 stack s39 size 79
;;   call f0 s40
;;   s39 = s0
;;   s76 = i32.lt_s s0 0x3
;;   br_unless s76 L2
;;   s39 = slots s40 x36
;;   br L1
;; L2:
;;   s39 = slots s40 x36
;;   br L1
;; L1:
;;   return s39 x36
;;
;; x64
;;   word 0x288
;;   address L3
;; L3:
;;   movq rcx, [rdi + 0x60]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x140]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x10]
;;   ja L4
;; L5:
;;   leaq rdx, L6
;;   movq [rsi + 0x260], rdx
;;   movq [rsi + 0x268], rsi
;;   movq [rsi + 0x270], rdi
;;   movq rsi, r10
;;   movq rdi, [rcx + 0x10]
;;   movq r11, [rdi + 0x30]
;;   movq r8, [r11]
;;   movq r9, [r11 + 0x8]
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L6:
;;   address L7
;; L7:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi]
;;   cmpl rbp, 0x3
;;   jge L2
;;   movq [rsi + 0x138], rbx
;;   movq r11, 0xffffffdc
;; L8:
;;   movsd xmm15, [rsi + r11*8 + 0x260]
;;   movsd [rsi + r11*8 + 0x258], xmm15
;;   addq r11, 0x1
;;   jne L8
;;   jmp L1
;; L2:
;;   movq [rsi + 0x138], rbx
;;   movq r11, 0xffffffdc
;; L9:
;;   movsd xmm15, [rsi + r11*8 + 0x260]
;;   movsd [rsi + r11*8 + 0x258], xmm15
;;   addq r11, 0x1
;;   jne L9
;;   jmp L1
;; L1:
;;   movq r11, 0xffffffdc
;; L10:
;;   movsd xmm15, [rsi + r11*8 + 0x258]
;;   movsd [rsi + r11*8 + 0x120], xmm15
;;   addq r11, 0x1
;;   jne L10
;;   movq rdx, [rsi + 0x120]
;;   movq rax, [rsi + 0x130]
;;   movq rsi, [rsi + 0x128]
;;   cmpq rax, rdi
;;   jne L11
;;   jmpq [rdx]
;; L11:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   movq rax, [rdi + 0x18]
;;   jmp L5
;; aarch64
;;   word 0x288
;;   address L3
;; L3:
;;   ldr x3, [x0, #96]
;;   ldr x3, [x3, #0]
;;   ldr x6, [x3, #0]
;;   add x7, x1, #320
;;   ldr x2, [x6, #0]
;;   add x2, x2, x7
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L4
;; L5:
;;   adr x2, L6
;;   str x2, [x1, #608]
;;   str x1, [x1, #616]
;;   str x0, [x1, #624]
;;   mov x1, x7
;;   ldr x0, [x3, #16]
;;   ldr x16, [x0, #48]
;;   ldr x4, [x16, #0]
;;   ldr x5, [x16, #8]
;;   add x2, x6, #8
;;   ldr x16, [x2, #0]
;;   br x16
;; L6:
;;   address L7
;; L7:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #0]
;;   cmp w20, #3
;;   b.ge L2
;;   str x19, [x1, #312]
;;   add x16, x1, #320
;;   add x17, x1, #312
;;   movz x15, #288
;;   add x15, x15, x16
;; L8:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L8
;;   b L1
;; L2:
;;   str x19, [x1, #312]
;;   add x16, x1, #320
;;   add x17, x1, #312
;;   movz x15, #288
;;   add x15, x15, x16
;; L9:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L9
;;   b L1
;; L1:
;;   add x16, x1, #312
;;   mov x17, x1
;;   movz x15, #288
;;   add x15, x15, x16
;; L10:
;;   ldr d31, [x16], #8
;;   str d31, [x17], #8
;;   cmp x16, x15
;;   b.ne L10
;;   ldr x6, [x1, #304]
;;   ldp x2, x1, [x1, #288]
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
;; L4:
;;   ldr x6, [x0, #24]
;;   b L5
