;; Objects in optimised code: one null check for several accesses, and a cast that only
;; decides a branch.
;;! flags optimize
;;! targets x64+bmi2
(module
  (type $node (sub (struct (field $value (mut i32)) (field $next (mut (ref null $node))))))
  (type $leaf (sub final $node (struct (field (mut i32)) (field (mut (ref null $node))) (field f64))))
  (func (param $node (ref null $node)) (param $by i32)
    (struct.set $node $value (local.get $node)
      (i32.add (struct.get $node $value (local.get $node)) (local.get $by))))
  (func (param $node (ref null $node)) (result i32)
    (if (result i32) (ref.test (ref $leaf) (local.get $node))
      (then (i32.const 1))
      (else (i32.const 2)))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 8
;;   s6 = struct.get type 0 s0[0]
;;   s6 = i32.add s6 s1
;;   struct.set type 0 s0[0] s6
;;   return
;;
;; x64+bmi2
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movq rsi, [rdi + 0x20]
;;   movl rdx, rax
;;   testl rdx, rdx
;;   je L2
;;   movl rdx, [rsi + rdx*1 + 0x8]
;;   addl rcx, rdx
;;   movl rax, rax
;;   movl [rsi + rax*1 + 0x8], rcx
;;   popq rbp
;;   ret
;; L2:
;;   movl rcx, 0xd
;;   callq L3
;; L3:
;;   routine Trap
;; function f1: frame params 1 header s1 locals s4 stack s4 size 5
;;   s4 = ref.test type 1 s0
;;   br_unless s4 L1
;;   s4 = 0x1
;;   br L2
;; L1:
;;   s4 = 0x2
;; L2:
;;   return s4
;;
;; x64+bmi2
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movl rsi, rax
;;   testl rsi, rsi
;;   je L3
;;   testb rsi, 0x1
;;   jne L3
;;   movq r11, [rdi + 0x20]
;;   cmpl [r11 + rsi*1], header of type 1
;;   jne L3
;; L2:
;;   movl rax, 0x1
;;   jmp L4
;; L3:
;;   movl rax, 0x2
;; L4:
;;   popq rbp
;;   ret
