;; A try costs nothing but that calls in it leave locals in their slots, where the
;; handler finds them; the handler is reached through a word.
(module
  (import "m" "f" (func $f))
  (tag $t (param i32))
  (func (param $a i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $t $caught)
        (call $f))
      (return (local.get $a)))
    (i32.add (local.get $a))))
;;! expected
;; function f1: frame params 1 header s1 locals s4 stack s4 size 7
;;   try 0 (catch e0 s4 L1)
;;   call f0 s4
;;   end_try 0
;;   return s0
;; L1:
;;   s4 = i32.add s4 s0
;;   return s4
;;
;; x64
;;   word 0x48
;;   address L3
;; L3:
;;   movq rcx, [rdi + 0x60]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x20]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x10]
;;   ja L5
;; L6:
;;   leaq rdx, L7
;;   movq [rsi + 0x20], rdx
;;   movq [rsi + 0x28], rsi
;;   movq [rsi + 0x30], rdi
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
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L9
;;   jmpq [rdx]
;; L1:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x20]
;;   addl rbp, rbx
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L9
;;   jmpq [rdx]
;; L9:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   address L1
;; L5:
;;   movq rax, [rdi + 0x18]
;;   jmp L6
;; aarch64
;;   word 0x48
;;   address L3
;; L3:
;;   ldr x3, [x0, #96]
;;   ldr x3, [x3, #0]
;;   ldr x6, [x3, #0]
;;   add x7, x1, #32
;;   ldr x2, [x6, #0]
;;   add x2, x2, x7
;;   ldr x15, [x0, #16]
;;   cmp x2, x15
;;   b.hi L5
;; L6:
;;   adr x2, L7
;;   stp x2, x1, [x1, #32]
;;   str x0, [x1, #48]
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
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L9
;;   ldr x16, [x2, #0]
;;   br x16
;; L1:
;;   ldr x19, [x1, #32]
;;   ldr x20, [x1, #0]
;;   add w19, w19, w20
;;   str x19, [x1, #0]
;;   ldr x6, [x1, #24]
;;   ldp x2, x1, [x1, #8]
;;   cmp x6, x0
;;   b.ne L9
;;   ldr x16, [x2, #0]
;;   br x16
;; L9:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
;; L4:
;;   address L1
;; L5:
;;   ldr x6, [x0, #24]
;;   b L6
