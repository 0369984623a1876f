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
;;   movq rcx, [rdi + 0x50]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x140]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x8]
;; L5:
;;   ja L4
;;   leaq rdx, L6
;;   movq [rsi + 0x260], rdx
;;   movq [rsi + 0x268], rsi
;;   movq [rsi + 0x270], rdi
;;   movq rsi, r10
;;   movq rdi, [rcx + 0x8]
;;   movq r11, [rdi + 0x20]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   leaq rdx, L5
;;   movl rcx, 0xa
;;   jmpq L12
;; L12:
;;   handler raise
