;; The epoch is compared with the deadline at entries and loop headers.
;;! flags epoch
(module
  (func (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s4 size 6
;;   epoch
;; L1: (loop)
;;   epoch
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   return
;;
;; x64
;;   word 0x40
;;   address L2
;; L2:
;;   movq rbx, [rdi + 0x58]
;;   movq r11, [rdi + 0x60]
;;   movq r11, [r11]
;;   cmpq r11, [rbx + 0x8]
;;   jae L3
;; L4:
;;   movq rbx, [rsi]
;; L1:
;;   movq rbp, [rdi + 0x58]
;;   movq r11, [rdi + 0x60]
;;   movq r11, [r11]
;;   cmpq r11, [rbp + 0x8]
;;   jae L6
;; L7:
;;   subl rbx, 0x1
;;   testl rbx, rbx
;;   jne L1
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
;; L3:
;;   leaq rdx, L11
;;   jmpq L11
;; L11:
;;   handler epoch
;;   word 0x8
;;   address L10
;; L10:
;;   jmp L4
;; L5:
;;   address L12
;; L12:
;;   movq rbx, [rsi]
;;   jmp L1
;; L6:
;;   movq [rsi], rbx
;;   leaq rdx, L14
;;   jmpq L14
;; L14:
;;   handler epoch
;;   word 0x8
;;   address L13
;; L13:
;;   movq rbx, [rsi]
;;   jmp L7
