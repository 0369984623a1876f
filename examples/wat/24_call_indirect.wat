;; A table of functions, one of which is chosen by number while running: 0 adds,
;; 1 subtracts, 2 multiplies. The call states the type it expects; another type
;; in the table, or a number past its end, is a trap.
;;
;; run: zwasm examples/wat/24_call_indirect.wat --invoke apply 0 10 3
;; expect: 13
(module
  (type $binary (func (param i32 i32) (result i32)))

  (table funcref (elem $add $sub $mul))

  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $sub (type $binary) (i32.sub (local.get 0) (local.get 1)))
  (func $mul (type $binary) (i32.mul (local.get 0) (local.get 1)))

  (func (export "apply") (param $which i32) (param $a i32) (param $b i32) (result i32)
    (call_indirect (type $binary)
      (local.get $a)
      (local.get $b)
      (local.get $which))))
