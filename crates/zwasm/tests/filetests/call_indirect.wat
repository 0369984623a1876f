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
;;   movq rdx, [rdi + 0x30]
;;   movq rdx, [rdx]
;;   cmpq rax, [rdx + 0x8]
;; L4:
;;   jae L3
;;   movq rdx, [rdx]
;;   movq rcx, [rdx + rax*8]
;;   testq rcx, rcx
;; L6:
;;   je L5
;;   cmpl [rcx + 0x10], type 0
;;   jne L7
;; L8:
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x28]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x8]
;; L10:
;;   ja L9
;;   leaq rdx, L11
;;   movq [rsi + 0x30], rdx
;;   movq [rsi + 0x38], rsi
;;   movq [rsi + 0x40], rdi
;;   movq rsi, r10
;;   cmpq rdi, [rcx + 0x8]
;;   je L12
;;   movq rdi, [rcx + 0x8]
;;   movq r11, [rdi + 0x20]
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
;;   movq rax, [rdi + 0x20]
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
;; L3:
;;   leaq rdx, L4
;;   movl rcx, 0x4
;;   jmpq L15
;; L5:
;;   leaq rdx, L6
;;   movl rcx, 0x5
;;   jmpq L15
;; L9:
;;   leaq rdx, L10
;;   movl rcx, 0xa
;;   jmpq L15
;; L15:
;;   handler raise
