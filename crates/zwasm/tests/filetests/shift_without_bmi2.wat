;; Without BMI2 a count has to be in `cl`; a constant one is an immediate.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (i32.shl (local.get $a) (local.get $b)))
  (func (param $a i64) (result i64)
    (i64.shr_u (local.get $a) (i64.const 68))))
