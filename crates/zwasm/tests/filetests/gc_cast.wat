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
;;   movq r11, [rdi + 0x10]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L3:
;;   leaq rdx, L4
;;   movl rcx, 0x11
;;   jmpq L6
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
;;   movq r11, [rdi + 0x10]
;;   movl r10, [r11 + r10*1]
;;   cmpl r10, header of type 0
;;   je L2
;;   shrl r10, 0x2
;;   movq r11, [rdi]
;;   andl r10, [r11 + 0xf8]
;;   movq r11, [r11 + 0xf0]
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
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
