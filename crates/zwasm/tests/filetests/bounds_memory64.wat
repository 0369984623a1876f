;; A 64-bit address and its offset may wrap around, which is out of bounds.
(module
  (memory i64 1)
  (func (param $p i64) (result i64) (i64.load offset=16 (local.get $p))))
