;; A table of distances behind the jump; what is beyond it takes the last entry.
(module
  (func (param $n i32) (result i32)
    (block $two
      (block $one
        (block $zero (br_table $zero $one $two (local.get $n)))
        (return (i32.const 10)))
      (return (i32.const 11)))
    (i32.const 12)))
