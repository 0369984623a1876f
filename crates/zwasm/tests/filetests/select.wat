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
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; aarch64
;;   word 0x58
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #8]
;;   cmp x19, x20
;;   csel x21, x19, x20, gt
;;   str x21, [x1, #0]
;;   ldr x6, [x1, #32]
;;   ldp x2, x1, [x1, #16]
;;   cmp x6, x0
;;   b.ne L2
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
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
;;   movq rax, [rdi + 0x30]
;;   movq r8, [rax]
;;   movq r9, [rax + 0x8]
;;   jmpq [rdx]
;; aarch64
;;   word 0x58
;;   address L1
;; L1:
;;   ldr x19, [x1, #0]
;;   ldr x20, [x1, #8]
;;   ldr x22, [x1, #16]
;;   cmp w22, #0
;;   csel x21, x19, x20, ne
;;   str x21, [x1, #0]
;;   ldr x6, [x1, #40]
;;   ldp x2, x1, [x1, #24]
;;   cmp x6, x0
;;   b.ne L2
;;   ldr x16, [x2, #0]
;;   br x16
;; L2:
;;   mov x0, x6
;;   ldr x6, [x0, #48]
;;   ldr x4, [x6, #0]
;;   ldr x5, [x6, #8]
;;   ldr x16, [x2, #0]
;;   br x16
