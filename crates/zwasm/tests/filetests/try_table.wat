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
;;   movq rcx, [rdi + 0x50]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x20]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x8]
;; L6:
;;   ja L5
;;   leaq rdx, L7
;;   movq [rsi + 0x20], rdx
;;   movq [rsi + 0x28], rsi
;;   movq [rsi + 0x30], rdi
;;   movq rsi, r10
;;   movq rdi, [rcx + 0x8]
;;   movq r11, [rdi + 0x20]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L4:
;;   address L1
;; L5:
;;   leaq rdx, L6
;;   movl rcx, 0xa
;;   jmpq L10
;; L10:
;;   handler raise
