;; A module with one function: two parameters, one result, and an export that
;; makes it callable from outside.
;;
;; run: zwasm examples/wat/01_hello_add.wat --invoke add 2 3
;; expect: 5
(module
  (func (export "add") (param $a i32) (param $b i32) (result i32)
    local.get $a
    local.get $b
    i32.add))
