;; A table of distances behind the jump; what is beyond it takes the last entry.
(module
  (func (param $n i32) (result i32)
    (block $two
      (block $one
        (block $zero (br_table $zero $one $two (local.get $n)))
        (return (i32.const 10)))
      (return (i32.const 11)))
    (i32.const 12)))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 5
;;   br_table s0 [0..3] L3 L2 L1
;; L3:
;;   return 0xa
;; L2:
;;   return 0xb
;; L1:
;;   return 0xc
;;
;; x64
;;   word 0x38
;;   address L4
;; L4:
;;   movq rbx, [rsi]
;;   movl r11, 0x2
;;   cmpl rbx, 0x2
;;   cmovb r11, rbx
;;   leaq rbp, L5
;;   movslq r11, [rbp + r11*4]
;;   addq rbp, r11
;;   jmpq rbp
;; L5:
;;   entry L3
;;   entry L2
;;   entry L1
;; L3:
;;   movq [rsi], 0xa
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L2:
;;   movq [rsi], 0xb
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L6
;;   jmpq [rdx]
;; L1:
;;   movq [rsi], 0xc
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
