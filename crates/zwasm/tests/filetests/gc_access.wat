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
;;   movq r11, [rdi + 0x10]
;;   movl rbp, [r11 + rbx*1 + 0x8]
;;   testl rbx, rbx
;; L5:
;;   je L4
;;   movq r11, [rdi + 0x10]
;;   movb [r11 + rbx*1 + 0xc], rbp
;;   testl rbx, rbx
;; L7:
;;   je L6
;;   movq r11, [rdi + 0x10]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   leaq rdx, L3
;;   movl rcx, 0xd
;;   jmpq L9
;; L4:
;;   leaq rdx, L5
;;   movl rcx, 0xd
;;   jmpq L9
;; L6:
;;   leaq rdx, L7
;;   movl rcx, 0xd
;;   jmpq L9
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
;;   movq r11, [rdi + 0x10]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   leaq rdx, L3
;;   movl rcx, 0xe
;;   jmpq L7
;; L4:
;;   leaq rdx, L5
;;   movl rcx, 0x10
;;   jmpq L7
;; L7:
;;   handler raise
