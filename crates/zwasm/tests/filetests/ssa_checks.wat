;; An address that has been compared with a length is not compared with less again.
;;! flags no-guards
;;! ssa dce
(module
  (memory 1)
  (func $fields (param $p i32) (param $c i32) (result i32)
    (i32.store offset=8 (local.get $p) (i32.const 1))
    (i32.store offset=4 (local.get $p) (i32.const 2))
    (if (local.get $c) (then (i32.store offset=12 (local.get $p) (i32.const 3))))
    ;; That was not on every way.
    (i32.store16 offset=14 (local.get $p) (i32.const 4))
    (drop (memory.grow (i32.const 1)))
    (i32.load offset=10 (local.get $p))))
