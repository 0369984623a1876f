;; Comparisons of bytes, and opposites of comparisons.
;;! flags optimize
;;! targets x64
(module
  (func $is_digit (param $char i32) (result i32)
    (i32.lt_u (i32.and (i32.sub (local.get $char) (i32.const 48)) (i32.const 255)) (i32.const 10)))
  ;; A byte has no sign.
  (func $signed (param $a i64) (result i32)
    (i64.gt_s (i64.and (local.get $a) (i64.const 255)) (i64.const 127)))
  ;; What is counted is the carry.
  (func $count (param $char i32) (param $sum i32) (result i32)
    (i32.add (local.get $sum)
      (i32.lt_u (i32.and (i32.sub (local.get $char) (i32.const 97)) (i32.const 255)) (i32.const 26))))
  ;; Two bytes do not fit.
  (func $wide (param $a i32) (result i32)
    (i32.lt_u (i32.and (i32.sub (local.get $a) (i32.const 48)) (i32.const 65535)) (i32.const 10)))
  (func $opposite (param $a f64) (param $b f64) (param $x f64) (result f64)
    (if (i32.xor (f64.gt (local.get $a) (local.get $b)) (i32.const 1))
      (then (return (f64.sub (local.get $a) (local.get $b)))))
    (f64.mul (f64.add (local.get $a) (local.get $x)) (local.get $a))))
;;! expected
;; function f0 <is_digit>: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i32.sub s0 0x30
;;   s4 = i32.and s4 0xff
;;   s4 = i32.lt_u s4 0xa
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   addl rax, 0xd0
;;   cmpb rax, 0xa
;;   setb rax
;;   movzbl rax, rax
;;   popq rbp
;;   ret
;; function f1 <signed>: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i64.and s0 0xff
;;   s4 = i64.gt_s s4 0x7f
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   cmpb rax, 0x7f
;;   seta rax
;;   movzbl rax, rax
;;   popq rbp
;;   ret
;; function f2 <count>: frame params 2 header s2 locals s5 stack s5 size 8
;;   s6 = i32.sub s0 0x61
;;   s6 = i32.and s6 0xff
;;   s6 = i32.lt_u s6 0x1a
;;   s5 = i32.add s1 s6
;;   return s5
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   addl rax, 0x9f
;;   cmpb rax, 0x1a
;;   movq rax, rcx
;;   adcl rax, 0x0
;;   popq rbp
;;   ret
;; function f3 <wide>: frame params 1 header s1 locals s4 stack s4 size 6
;;   s4 = i32.sub s0 0x30
;;   s4 = i32.and s4 0xffff
;;   s4 = i32.lt_u s4 0xa
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   addl rax, 0xd0
;;   movzwl rbx, rax
;;   cmpl rbx, 0xa
;;   setb rax
;;   movzbl rax, rax
;;   popq rbp
;;   ret
;; function f4 <opposite>: frame params 3 header s3 locals s6 stack s6 size 8
;;   s6 = f64.gt s0 s1
;;   s6 = i32.xor s6 0x1
;;   br_unless s6 L1
;;   s6 = f64.sub s0 s1
;;   return s6
;; L1:
;;   s6 = f64.add s0 s2
;;   s6 = f64.mul s6 s0
;;   return s6
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   ucomisd xmm0, xmm1
;;   ja L3
;; L2:
;;   subsd xmm0, xmm1
;;   popq rbp
;;   ret
;; L3:
;;   movaps xmm1, xmm0
;;   addsd xmm0, xmm2
;;   mulsd xmm0, xmm1
;;   popq rbp
;;   ret
