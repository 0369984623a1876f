;; A 64-bit address and its offset may wrap around, which is out of bounds.
(module
  (memory i64 1)
  (func (param $p i64) (result i64) (i64.load offset=16 (local.get $p))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   s4 = i64.load m0[s0 + 0x10]
;;   return s4
;;
;; x64
;;   word 0x38
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movl r11, 0x18
;;   addq r11, rbx
;; L3:
;;   jb L2
;;   cmpq r11, r9
;; L5:
;;   ja L4
;;   movq rbp, [r8 + r11*1 - 0x8]
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
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
;;   movl rcx, 0x2
;;   jmpq L7
;; L4:
;;   leaq rdx, L5
;;   movl rcx, 0x2
;;   jmpq L7
;; L7:
;;   handler raise
