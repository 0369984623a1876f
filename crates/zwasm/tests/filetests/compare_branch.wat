;; A comparison that a branch uses becomes flags, never a value.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $a) (local.get $b))
      (then (i32.const 1))
      (else (i32.const 2)))))
