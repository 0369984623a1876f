;; Bytes in the opposite order, and carries from word to word.
;;! flags optimize
;;! targets x64
(module
  (func $swap (param $a i32) (result i32)
    (i32.or
      (i32.or (i32.shl (local.get $a) (i32.const 24))
        (i32.shl (i32.and (local.get $a) (i32.const 0xff00)) (i32.const 8)))
      (i32.or (i32.and (i32.shr_u (local.get $a) (i32.const 8)) (i32.const 0xff00))
        (i32.shr_u (local.get $a) (i32.const 24)))))
  (func $carry (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i64 i64)
    (local $low i64)
    (local.tee $low (i64.add (local.get $a) (local.get $b)))
    (i64.add (i64.add (local.get $c) (local.get $d))
      (i64.extend_i32_u (i64.lt_u (local.get $low) (local.get $a))))))
;;! expected
;; function f0 <swap>: frame params 1 header s1 locals s4 stack s4 size 8
;;   s4 = i32.shl s0 0x18
;;   s5 = i32.and s0 0xff00
;;   s5 = i32.shl s5 0x8
;;   s4 = i32.or s4 s5
;;   s5 = i32.shr_u s0 0x8
;;   s5 = i32.and s5 0xff00
;;   s6 = i32.shr_u s0 0x18
;;   s5 = i32.or s5 s6
;;   s4 = i32.or s4 s5
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   bswapl rax
;;   popq rbp
;;   ret
;; function f1 <carry>: frame params 4 header s4 locals s7 stack s8 size 12
;;   zero s7 x1
;;   s7 = i64.add s0 s1
;;   s9 = i64.add s2 s3
;;   s10 = i64.lt_u s7 s0
;;   s10 = i64.extend_i32_u s10
;;   s9 = i64.add s9 s10
;;   s8 = s7
;;   return s8 x2
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movq rbx, rcx
;;   addq rbx, rax
;;   cmpq rbx, rax
;;   movq rcx, rdx
;;   adcq rcx, rsi
;;   movq rax, rbx
;;   popq rbp
;;   ret
