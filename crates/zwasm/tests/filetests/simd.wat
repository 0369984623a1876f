;; Vectors without AVX: the result overwrites the first operand, and operands are
;; loaded first, because memory operands would have to be aligned.
(module
  (memory 1)
  (func (param $a v128) (param $p i32) (result v128)
    (i32x4.add (i32x4.mul (local.get $a) (v128.load (local.get $p))) (local.get $a))))
