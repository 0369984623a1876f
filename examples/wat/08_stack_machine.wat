;; The same instructions without parentheses: each takes its operands from the
;; stack and leaves its result there. The comments show the stack afterwards,
;; its top at the right. Folded and plain notation mean the same code.
;;
;; run: zwasm examples/wat/08_stack_machine.wat --invoke difference_of_squares 7 3
;; expect: 40
(module
  (func (export "difference_of_squares") (param $a i32) (param $b i32) (result i32)
    local.get $a ;; a
    local.get $b ;; a b
    i32.add      ;; a+b
    local.get $a ;; a+b a
    local.get $b ;; a+b a b
    i32.sub      ;; a+b a-b
    i32.mul))    ;; (a+b)*(a-b)
