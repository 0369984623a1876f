;; As in `bulk.wat`, in optimised code.
;;! flags optimize
;;! targets x64
(module
  (memory 1)
  (func $constant (param $to i32) (param $from i32)
    (memory.copy (local.get $to) (local.get $from) (i32.const 21))
    (memory.fill (local.get $to) (i32.const 0) (i32.const 40)))
  (func $short (param $to i32) (param $value i32) (param $n i32)
    (memory.fill (local.get $to) (local.get $value) (local.get $n))))
;;! expected
;; function f0 <constant>: frame params 2 header s2 locals s5 stack s5 size 8
;;   s7 = 0x15
;;   s6 = s1
;;   s5 = s0
;;   memory.copy m0 m0 s5
;;   s7 = 0x28
;;   s6 = 0x0
;;   s5 = s0
;;   memory.fill m0 s5
;;   return
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;; L1:
;;   movq rdx, [rdi + 0x30]
;;   movq rsi, [rdx + 0x8]
;;   movq rdx, rbx
;;   leaq r8, [rax + 0x15]
;;   cmpq r8, rsi
;;   ja L2
;;   leaq r8, [rcx + 0x15]
;;   cmpq r8, rsi
;;   ja L3
;;   movups xmm0, [rdx + rcx*1]
;;   movq rcx, [rdx + rcx*1 + 0xd]
;;   movups [rdx + rax*1], xmm0
;;   movq [rdx + rax*1 + 0xd], rcx
;;   movq rcx, rbx
;;   leaq rdx, [rax + 0x28]
;;   cmpq rdx, rsi
;;   ja L4
;;   movl rdx, 0x0
;;   xorps xmm0, xmm0
;;   movups [rcx + rax*1], xmm0
;;   movups [rcx + rax*1 + 0x10], xmm0
;;   movq [rcx + rax*1 + 0x20], rdx
;;   popq rbp
;;   ret
;; L2:
;;   leaq r8, [rax]
;;   movl rcx, 0x102
;;   callq L5
;; L3:
;;   leaq r8, [rcx]
;;   movl rcx, 0x102
;;   callq L5
;; L4:
;;   leaq r8, [rax]
;;   movl rcx, 0x102
;;   callq L5
;; L5:
;;   routine Trap
;; function f1 <short>: frame params 3 header s3 locals s6 stack s6 size 9
;;   s8 = s2
;;   s7 = s1
;;   s6 = s0
;;   memory.fill m0 s6
;;   return
;;
;; x64
;; L0:
;;   pushq rbp
;;   movq rbp, rsp
;;   subq rsp, 0x10
;;   movq r11, [rdi]
;;   cmpq rsp, [limit]
;;   jb L4
;;   movq [rbp - 0x8], rdi
;; L3:
;;   movq rsi, [rdi + 0x30]
;;   movq rsi, [rsi + 0x8]
;;   movl r8, rcx
;;   andl r8, 0xff
;;   movq r11, r8
;;   shlq r11, 0x8
;;   orq r8, r11
;;   movq r11, r8
;;   shlq r11, 0x10
;;   orq r8, r11
;;   movq r11, r8
;;   shlq r11, 0x20
;;   orq r8, r11
;;   movq r9, rbx
;;   leaq rcx, [rax + rdx*1]
;;   cmpq rcx, rsi
;;   ja L5
;;   cmpq rdx, 0x10
;;   jb L8
;;   cmpq rdx, 0x20
;;   ja L9
;;   movq [r9 + rax*1], r8
;;   movq [r9 + rcx*1 - 0x10], r8
;;   movq [r9 + rax*1 + 0x8], r8
;;   movq [r9 + rcx*1 - 0x8], r8
;;   jmp L10
;; L8:
;;   testb rdx, 0x8
;;   je L11
;;   movq [r9 + rax*1], r8
;;   movq [r9 + rcx*1 - 0x8], r8
;;   jmp L10
;; L11:
;;   testb rdx, 0x4
;;   je L12
;;   movl [r9 + rax*1], r8
;;   movl [r9 + rcx*1 - 0x4], r8
;;   jmp L10
;; L12:
;;   testb rdx, 0x2
;;   je L13
;;   movw [r9 + rax*1], r8
;;   movw [r9 + rcx*1 - 0x2], r8
;;   jmp L10
;; L13:
;;   testb rdx, 0x1
;;   je L10
;;   movb [r9 + rax*1], r8
;;   jmp L10
;; L9:
;;   cmpq rdx, 0x40
;;   ja L7
;;   movq [r9 + rax*1], r8
;;   movq [r9 + rcx*1 - 0x20], r8
;;   movq [r9 + rax*1 + 0x8], r8
;;   movq [r9 + rcx*1 - 0x18], r8
;;   movq [r9 + rax*1 + 0x10], r8
;;   movq [r9 + rcx*1 - 0x10], r8
;;   movq [r9 + rax*1 + 0x18], r8
;;   movq [r9 + rcx*1 - 0x8], r8
;; L10:
;; L6:
;;   movq rsp, rbp
;;   popq rbp
;;   ret
;; L4:
;;   movl rcx, 0xa
;;   callq L14
;; L5:
;;   leaq r8, [rax]
;;   movl rcx, 0x102
;;   callq L14
;; L7:
;;   movq r11, [rdi]
;;   movq r11, [r11 + field]
;;   movq [r11 + 0x8], rax
;;   movq [r11 + 0x10], r8
;;   movq [r11 + 0x18], rdx
;;   leaq r11, L1
;;   callq L15
;; L2:
;;   movq rbp, [rsi - 0x8]
;;   leaq rsp, [rbp - 0x168]
;;   callq L16
;;   jmp L6
;; L14:
;;   routine Trap
;; L15:
;;   routine Keep
;; L16:
;;   routine Bring
;; L1:
;;   handler 
;;   word 0x0
;;   address L2
