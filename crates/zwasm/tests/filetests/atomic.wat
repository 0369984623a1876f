;; Alignment is checked first; what has no instruction of its own is a loop.
(module
  (memory 1 1 shared)
  (func (param $p i32) (param $v i32) (result i32)
    (i32.atomic.rmw.add offset=4 (local.get $p) (local.get $v)))
  (func (param $p i32) (param $v i64) (result i64)
    (i64.atomic.rmw16.xor_u (local.get $p) (local.get $v)))
  (func (param $p i32) (param $v i32)
    (atomic.fence)
    (i32.atomic.store8 offset=1 (local.get $p) (local.get $v))))
