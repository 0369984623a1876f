;; A jump through a table that tells few cases apart is branches.
;;! ssa tables
(module
  (func $states (param $state i32) (result i32)
    (block $0 (block $1 (block $2 (block $else
      (br_table $0 $1 $2 $else (local.get $state)))
      (return (i32.const 40)))
      (return (i32.const 30)))
      (return (i32.const 20)))
    (i32.const 10))
  ;; Neighbours that lead to the same place are one case, wherever they stand.
  (func $runs (param $char i32) (result i32)
    (block $blank (block $mark (block $else
      (br_table $else $blank $blank $blank $else $mark $else (local.get $char)))
      (return (i32.const 3)))
      (return (i32.const 2)))
    (i32.const 1))
  (func $from_zero (param $a i32) (result i32)
    (block $low (block $else
      (br_table $low $low $low $low $else (local.get $a)))
      (return (i32.const 2)))
    (i32.const 1))
  ;; All lead to the same place.
  (func $none (param $a i32) (result i32)
    (block $0
      (br_table $0 $0 $0 (local.get $a)))
    (i32.const 1))
  ;; These are too many.
  (func $many (param $a i32) (result i32)
    (block $0 (block $1 (block $2 (block $3 (block $4 (block $5 (block $else
      (br_table $0 $1 $2 $3 $4 $5 $else (local.get $a)))
      (return (i32.const 70)))
      (return (i32.const 60)))
      (return (i32.const 50)))
      (return (i32.const 40)))
      (return (i32.const 30)))
      (return (i32.const 20)))
    (i32.const 10)))
;;! expected
