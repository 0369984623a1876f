;; Vectors in optimised code: loads are part of instructions that read all of them, a
;; constant is an operand in memory, tests decide at once.
;;! flags optimize
;;! targets x64 x64+avx+avx2
(module
  (memory 1)
  (func (param $p i32) (param $n i32) (result v128) (local $sum v128)
    (loop $next
      (local.set $sum
        (i32x4.add (local.get $sum)
          (v128.and (v128.const i32x4 255 255 255 255) (v128.load (local.get $p)))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (param $p i32) (result i32)
    (if (result i32) (i8x16.all_true (i8x16.eq (v128.load (local.get $p)) (i8x16.splat (i32.load8_u offset=16 (local.get $p)))))
      (then (i32.const 1))
      (else (i32.const 2)))))
;;! expected
;; function f0: frame params 2 header s2 locals s5 stack s7 size 13
;;   zero s5 x2
;; L1: (loop)
;;   s9 = v128.const 0x000000ff000000ff000000ff000000ff
;;   s11 = v128.load m0[s0 + 0x0]
;;   s9 = v128.and s9 s11
;;   s5 = i32x4.add s5 s9
;;   s0 = i32.add s0 0x10
;;   s1 = i32.sub s1 0x1
;;   br_if s1 L1
;;   v128.return s5
;;
;; x64
;; L1:
;;   pushq rbp
;;   movq rbp, rsp
;; L2:
;;   pxor xmm0, xmm0, xmm0
;; L3:
;;   movups xmm1, [rbx + rax*1]
;;   pand xmm1, xmm1, L0
;;   paddd xmm0, xmm0, xmm1
;;   addl rax, 0x10
;;   addl rcx, 0xff
;;   testl rcx, rcx
;;   jne L3
;; L5:
;;   popq rbp
;;   ret
;; L0:
;;   word 0xff000000ff
;;   word 0xff000000ff
;; x64+avx+avx2
;; L1:
;;   pushq rbp
;;   movq rbp, rsp
;; L2:
;;   pxor xmm0, xmm0, xmm0
;;   movaps xmm1, L0
;; L3:
;;   pand xmm2, xmm1, [rbx + rax*1]
;;   paddd xmm0, xmm0, xmm2
;;   addl rax, 0x10
;;   addl rcx, 0xff
;;   testl rcx, rcx
;;   jne L3
;; L5:
;;   popq rbp
;;   ret
;; L0:
;;   word 0xff000000ff
;;   word 0xff000000ff
;; function f1: frame params 1 header s1 locals s4 stack s4 size 8
;;   s4 = v128.load m0[s0 + 0x0]
;;   s6 = i32.load8_u m0[s0 + 0x10]
;;   s6 = i8x16.splat s6
;;   s4 = i8x16.eq s4 s6
;;   s4 = i8x16.all_true s4
;;   br_unless s4 L1
;;   s4 = 0x1
;;   br L2
;; L1:
;;   s4 = 0x2
;; L2:
;;   return s4
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movups xmm4, [rbx + rax*1]
;;   pxor xmm0, xmm0, xmm0
;;   pinsrb xmm0, xmm0, [rbx + rax*1 + 0x10], 0x0
;;   pxor xmm15, xmm15, xmm15
;;   pshufb xmm0, xmm0, xmm15
;;   pcmpeqb xmm4, xmm4, xmm0
;;   pxor xmm15, xmm15, xmm15
;;   pcmpeqb xmm15, xmm15, xmm4
;;   ptest xmm15, xmm15
;;   jne L3
;; L2:
;;   movl rax, 0x1
;;   jmp L4
;; L3:
;;   movl rax, 0x2
;; L4:
;;   popq rbp
;;   ret
;; x64+avx+avx2
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movups xmm6, [rbx + rax*1]
;;   vpbroadcastb xmm0, [rbx + rax*1 + 0x10]
;;   pcmpeqb xmm6, xmm6, xmm0
;;   pxor xmm15, xmm15, xmm15
;;   pcmpeqb xmm15, xmm15, xmm6
;;   ptest xmm15, xmm15
;;   jne L3
;; L2:
;;   movl rax, 0x1
;;   jmp L4
;; L3:
;;   movl rax, 0x2
;; L4:
;;   popq rbp
;;   ret
