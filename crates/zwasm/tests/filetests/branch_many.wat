;; A branch that carries many values moves them with one instruction, and so do a return
;; and a tail call: their code does not grow with what they carry.
(module
  (type $many (func (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "" "values" (func $values (type $many)))
  (import "" "take" (func $take (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (func (param $i i32) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (block $out (type $many)
      (i64.const 1)
      (call $values)
      (br_if $out (local.get $i))
      (br_if 1 (local.get $i))
      (return_call $take))))
;;! expected
;; function f2: frame params 1 header s33 locals s36 stack s36 size 73
;;   call f0 s37
;;   s36 = 0x1
;;   br_unless s0 L2
;;   s36 = slots s37 x33
;;   br L1
;; L2:
;;   br_unless s0 L3
;;   return s37 x33
;; L3:
;;   return_call f1 s37
;; L1:
;;   return s36 x33
;;
;;   word 0x258
;;   address L4
;; L4:
;;   movq rcx, [rdi + 0x50]
;;   movq rcx, [rcx]
;;   movq rax, [rcx]
;;   leaq r10, [rsi + 0x128]
;;   movq rdx, [rax]
;;   addq rdx, r10
;;   cmpq rdx, [rdi + 0x8]
;; L6:
;;   ja L5
;;   leaq rdx, L7
;;   movq [rsi + 0x230], rdx
;;   movq [rsi + 0x238], rsi
;;   movq [rsi + 0x240], rdi
;;   movq rsi, r10
;;   movq rdi, [rcx + 0x8]
;;   movq r11, [rdi + 0x20]
;;   movq r8, [r11]
;;   movq r9, [r11 + 0x8]
;;   leaq rdx, [rax + 0x8]
;;   jmpq [rdx]
;; L7:
;;   address L8
;; L8:
;;   movq rbx, [rsi]
;;   testl rbx, rbx
;;   movq [rsi + 0x120], 0x1
;;   je L2
;;   leaq rdx, L10
;;   jmpq L10
;; L10:
;;   word handler
;;   word 0x2500000024
;;   word 0x21
;;   address L9
;; L9:
;;   jmp L1
;; L2:
;;   movq rbx, [rsi]
;;   testl rbx, rbx
;;   je L3
;;   leaq rdx, L11
;;   jmpq L11
;; L11:
;;   word handler
;;   word 0x2100250021
;; L3:
;;   leaq rdx, L12
;;   jmpq L12
;; L12:
;;   word handler
;;   word 0x21002100210025
;;   word 0x1
;; L1:
;;   leaq rdx, L13
;;   jmpq L13
;; L13:
;;   word handler
;;   word 0x2100240021
;; L5:
;;   leaq rdx, L6
;;   movl rcx, 0xa
;;   jmpq L14
;; L14:
;;   word handler
