;; In optimised code what is left of the fuel stays in a register, across calls too.
;;! flags optimize fuel no-inlining
;;! targets x64
(module
  (func $again (param $n i32) (result i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $again (local.get $n))))
;;! expected
;; function f0 <again>: frame params 1 header s1 locals s4 stack s4 size 8
;;   fuel 1
;; L1: (loop)
;;   fuel 5
;;   s0 = i32.sub s0 0x1
;;   br_if s0 L1
;;   fuel 2
;;   s4 = s0
;;   call f0 s4
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;;   subq rsp, 0x10
;;   movq r11, [rdi]
;;   cmpq rsp, [limit]
;;   jb L5
;;   movq [rbp - 0x8], rdi
;; L1:
;;   subq r15, 0x1
;;   jl L7
;; L6:
;; L2:
;;   subq r15, 0x5
;;   jl L9
;; L8:
;;   addl rax, 0xff
;;   testl rax, rax
;;   jne L2
;; L4:
;;   subq r15, 0x2
;;   jl L11
;; L10:
;;   leaq r11, [rdi + 0x90]
;;   callq [r11 + 0x8]
;;   movq rsp, rbp
;;   popq rbp
;;   ret
;; L5:
;;   movl rcx, 0xa
;;   callq L12
;; L7:
;;   callq L13
;;   jmp L6
;; L9:
;;   callq L13
;;   jmp L8
;; L11:
;;   callq L13
;;   jmp L10
;; L12:
;;   routine Trap
;; L13:
;;   routine Refuel
