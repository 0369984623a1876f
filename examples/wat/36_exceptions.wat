;; Exceptions: `throw` leaves all the frames up to the `try_table` that has a
;; clause for its tag, and takes the tag's values to the clause's label. What
;; nothing catches ends the program with an error.
;;
;; run: zwasm examples/wat/36_exceptions.wat --invoke divide_or 17 5 -1
;; expect: 3
;; run: zwasm examples/wat/36_exceptions.wat --invoke divide_or 17 0 -1
;; expect: -1
(module
  (tag $failed (param i32))

  (func $divide (param $a i32) (param $b i32) (param $instead i32) (result i32)
    (if (i32.eqz (local.get $b))
      (then (throw $failed (local.get $instead))))
    (i32.div_s (local.get $a) (local.get $b)))

  ;; The quotient, or another value where there is none.
  (func (export "divide_or") (param $a i32) (param $b i32) (param $instead i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $failed $caught)
        (call $divide (local.get $a) (local.get $b) (local.get $instead)))
      (return))))
