;; A small array takes its bytes from the window; when that is full, or the array
;; large, the handler does it out of line.
;;! targets x64+bmi2+avx+avx2+bmi1+fma+lzcnt+popcnt
(module
  (type $bytes (array (mut i8)))
  (type $pair (array i32))
  (func (param $n i32) (result (ref $bytes)) (array.new_default $bytes (local.get $n)))
  (func (param $a i32) (result (ref $pair))
    (array.new_fixed $pair 2 (local.get $a) (i32.const 7))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   s4 = s0
;;   array.new_default type 0 s4
;;   return s4
;;
;; x64+bmi2+avx+avx2+bmi1+fma+lzcnt+popcnt
;;   word 0x38
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   cmpl rbx, 0x100
;;   ja L2
;;   movq r11, [rdi]
;;   movq rbp, [r11 + 0x60]
;;   leaq r10, [rbp + rbx*1 + 0xf]
;;   andq r10, 0xf8
;;   cmpq r10, [r11 + 0x68]
;;   ja L2
;;   movq [r11 + 0x60], r10
;;   movq r10, [rdi + 0x20]
;;   addq r10, rbp
;;   xorps xmm15, xmm15
;;   movq r11, rbx
;;   addq r11, 0xf
;;   andq r11, 0xf8
;;   jmp L5
;; L4:
;;   movups [r10 + r11*1 - 0x10], xmm15
;;   subq r11, 0x10
;; L5:
;;   cmpq r11, 0x8
;;   ja L4
;;   movl [r10], header of type 0
;;   movl [r10 + 0x4], rbx
;; L3:
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L6:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   movq [rsi + 0x20], rbx
;;   leaq rdx, L9
;;   jmpq L9
;; L9:
;;   handler array.new_default type 0 s4
;;   word 0x100000004
;;   word 0x101
;;   word 0x2
;;   address L8
;; L8:
;;   movq rbp, [rsi + 0x20]
;;   jmp L3
;; function f1: frame params 1 header s1 locals s4 stack s4 size 6
;;   s5 = 0x7
;;   s4 = s0
;;   array.new_fixed type 1 x2 s4
;;   return s4
;;
;; x64+bmi2+avx+avx2+bmi1+fma+lzcnt+popcnt
;;   word 0x40
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movq r11, [rdi]
;;   movq rbp, [r11 + 0x60]
;;   leaq r10, [rbp + 0x10]
;;   cmpq r10, [r11 + 0x68]
;;   ja L2
;;   movq [r11 + 0x60], r10
;;   movq r10, [rdi + 0x20]
;;   addq r10, rbp
;;   movl [r10], header of type 1
;;   movl [r10 + 0x4], 0x2
;;   movl [r10 + 0x8], rbx
;;   movl r11, 0x7
;;   movl [r10 + 0xc], r11
;; L3:
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L4
;;   jmpq [rdx]
;; L4:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L2:
;;   movq [rsi + 0x28], 0x7
;;   movq [rsi + 0x20], rbx
;;   leaq rdx, L7
;;   jmpq L7
;; L7:
;;   handler array.new_fixed type 1 x2 s4
;;   word 0x200000004
;;   word 0x200000105
;;   word 0x200000003
;;   address L6
;; L6:
;;   movq rbp, [rsi + 0x20]
;;   jmp L3
