;; `select` becomes a conditional move, after the comparison it depends on; of
;; floats, a jump.
(module
  (func (param $a i64) (param $b i64) (result i64)
    (select (local.get $a) (local.get $b) (i64.gt_s (local.get $a) (local.get $b))))
  (func (param $a f64) (param $b f64) (param $c i32) (result f64)
    (select (local.get $a) (local.get $b) (local.get $c))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s5 size 9
;;   s7 = i64.gt_s s0 s1
;;   s5 = select s7 s0 s1
;;   return s5
;;
;; x64
;;   word 0x58
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x8]
;;   movq r10, rbp
;;   cmpq rbx, rbp
;;   cmovg r10, rbx
;;   movq [rsi], r10
;;   movq rdx, [rsi + 0x10]
;;   movq rax, [rsi + 0x20]
;;   movq rsi, [rsi + 0x18]
;;   cmpq rax, rdi
;;   jne L2
;;   jmpq [rdx]
;; L2:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; function f1: frame params 3 header s3 locals s6 stack s6 size 9
;;   s6 = select s2 s0 s1
;;   return s6
;;
;; x64
;;   word 0x58
;;   address L1
;; L1:
;;   movq rbx, [rsi]
;;   movq rbp, [rsi + 0x8]
;;   movq r10, rbp
;;   movq r12, [rsi + 0x10]
;;   testl r12, r12
;;   cmovne r10, rbx
;;   movq [rsi], r10
;;   movq rdx, [rsi + 0x18]
;;   movq rax, [rsi + 0x28]
;;   movq rsi, [rsi + 0x20]
;;   cmpq rax, rdi
;;   jne L2
;;   jmpq [rdx]
;; L2:
;;   movq rdi, rax
;;   movq rax, [rdi + 0x20]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
