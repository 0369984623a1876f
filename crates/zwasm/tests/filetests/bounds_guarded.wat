;; Guard pages bound an access with a 32-bit address: it is one instruction.
(module
  (memory 1)
  (func (param $p i32) (result i32)
    (i32.store offset=8 (local.get $p) (i32.load (local.get $p)))
    (i32.load8_u offset=100 (local.get $p))))
