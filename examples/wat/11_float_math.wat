;; Floating-point numbers: some functions of mathematics are instructions, like
;; the square root; others are built from the four basic operations, like the
;; series for e^x, which here stops when a term no longer changes the sum.
;;
;; run: zwasm examples/wat/11_float_math.wat --invoke hypotenuse 3 4
;; expect: 5
;; run: zwasm examples/wat/11_float_math.wat --invoke exp 1
;; expect: 2.7182818284590455
;; run: zwasm examples/wat/11_float_math.wat --invoke round 2.5
;; expect: 2
(module
  (func (export "hypotenuse") (param $a f64) (param $b f64) (result f64)
    (f64.sqrt
      (f64.add
        (f64.mul (local.get $a) (local.get $a))
        (f64.mul (local.get $b) (local.get $b)))))

  (func (export "exp") (param $x f64) (result f64)
    (local $n f64) (local $term f64) (local $sum f64) (local $before f64)
    (local.set $term (f64.const 1))
    (local.set $sum (f64.const 1))
    (loop $next
      (local.set $before (local.get $sum))
      (local.set $n (f64.add (local.get $n) (f64.const 1)))
      (local.set $term
        (f64.mul (local.get $term) (f64.div (local.get $x) (local.get $n))))
      (local.set $sum (f64.add (local.get $sum) (local.get $term)))
      (br_if $next (f64.ne (local.get $sum) (local.get $before))))
    (local.get $sum))

  ;; Halves go to the even neighbour.
  (func (export "round") (param $x f64) (result f64)
    (f64.nearest (local.get $x))))
