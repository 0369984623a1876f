;; References to functions as values with types: `call_ref` needs neither a table
;; nor a check of the type, which the validator has done.
;;
;; run: zwasm examples/wat/39_call_ref.wat --invoke twice 0 5
;; expect: 25
;; run: zwasm examples/wat/39_call_ref.wat --invoke twice 1 5
;; expect: 625
(module
  (type $unary (func (param i32) (result i32)))

  (elem declare func $add_ten $square)

  (func $add_ten (type $unary) (i32.add (local.get 0) (i32.const 10)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))

  (func $apply_twice (param $f (ref $unary)) (param $n i32) (result i32)
    (call_ref $unary (call_ref $unary (local.get $n) (local.get $f)) (local.get $f)))

  ;; 0 adds ten twice, anything else squares twice.
  (func (export "twice") (param $which i32) (param $n i32) (result i32)
    (if (result i32) (local.get $which)
      (then (call $apply_twice (ref.func $square) (local.get $n)))
      (else (call $apply_twice (ref.func $add_ten) (local.get $n))))))
