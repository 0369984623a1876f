;; The locals of a loop are in registers at its header; a stub behind the function
;; loads them for an interpreter that continues there.
(module
  (func (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
;;! expected
;; function f0: frame params 1 header s1 locals s4 stack s5 size 7
;;   zero s4 x1
;; L1: (loop)
;;   s4 = i32.add s4 s0
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   return s4
;;
;; x64
;;   word 0x48
;;   address L2
;; L2:
;;   movq rbx, [rsi]
;;   movl rbp, 0x0
;; L1:
;;   addl rbp, rbx
;;   subl rbx, 0x1
;;   testl rbx, rbx
;;   jne L1
;;   movq [rsi], rbp
;;   movq rdx, [rsi + 0x8]
;;   movq rax, [rsi + 0x18]
;;   movq rsi, [rsi + 0x10]
;;   cmpq rax, rdi
;;   jne L4
;;   jmpq [rdx]
;; L4:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; L3:
;;   address L6
;; L6:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x20]
;;   jmp L1
