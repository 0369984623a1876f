;; Arguments are written where the callee's frame begins; its body's address is in
;; its record, at a constant distance from the vmctx.
(module
  (func $callee (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (param $a i32) (result i32)
    (i32.mul (call $callee (local.get $a) (i32.const 1)) (local.get $a))))
