;; Division by a constant needs none of the checks, except for what traps always;
;; by a variable it needs both.
(module
  (func (param $a i32) (result i32) (i32.div_s (local.get $a) (i32.const 7)))
  (func (param $a i32) (result i32) (i32.div_u (local.get $a) (i32.const 8)))
  (func (param $a i64) (param $b i64) (result i64)
    (i64.div_s (local.get $a) (local.get $b))))
