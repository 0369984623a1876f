;; `br_table` jumps to one of several blocks by number, as `switch` does in other
;; languages; its last label is for all other numbers. Leaving a block continues
;; behind its end, so the innermost block is the first case.
;;
;; run: zwasm examples/wat/22_br_table.wat --invoke calculate 0 6 7
;; expect: 13
;; run: zwasm examples/wat/22_br_table.wat --invoke calculate 2 6 7
;; expect: 42
;; run: zwasm examples/wat/22_br_table.wat --invoke calculate 9 6 7
;; expect: 0
(module
  ;; 0 adds, 1 subtracts, 2 multiplies; anything else gives zero.
  (func (export "calculate") (param $op i32) (param $a i32) (param $b i32) (result i32)
    (block $other
      (block $multiply
        (block $subtract
          (block $add
            (br_table $add $subtract $multiply $other (local.get $op)))
          (return (i32.add (local.get $a) (local.get $b))))
        (return (i32.sub (local.get $a) (local.get $b))))
      (return (i32.mul (local.get $a) (local.get $b))))
    (i32.const 0)))
