;; Subtypes and casts: circles and rectangles are shapes, and an array holds
;; shapes of both kinds. `br_on_cast` asks what a reference refers to and, if
;; that is of the type wanted, branches with the reference at that type.
;;
;; run: zwasm examples/wat/35_gc_shapes.wat --invoke total_area
;; expect: 18.141592653589793
(module
  (type $shape (sub (struct)))
  (type $circle (sub $shape (struct (field $radius f64))))
  (type $rectangle (sub $shape (struct (field $width f64) (field $height f64))))
  (type $shapes (array (ref $shape)))

  (func $area (param $shape (ref $shape)) (result f64)
    (local $radius f64) (local $rectangle (ref $rectangle))
    (block $circle (result (ref $circle))
      (br_on_cast $circle (ref $shape) (ref $circle) (local.get $shape))
      (local.set $rectangle (ref.cast (ref $rectangle)))
      (return
        (f64.mul
          (struct.get $rectangle $width (local.get $rectangle))
          (struct.get $rectangle $height (local.get $rectangle)))))
    (local.set $radius (struct.get $circle $radius))
    (f64.mul
      (f64.const 3.141592653589793)
      (f64.mul (local.get $radius) (local.get $radius))))

  (func (export "total_area") (result f64)
    (local $shapes (ref $shapes)) (local $at i32) (local $total f64)
    (local.set $shapes
      (array.new_fixed $shapes 3
        (struct.new $rectangle (f64.const 3) (f64.const 4))
        (struct.new $circle (f64.const 1))
        (struct.new $rectangle (f64.const 1.5) (f64.const 2))))
    (loop $next
      (local.set $total
        (f64.add
          (local.get $total)
          (call $area (array.get $shapes (local.get $shapes) (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (array.len (local.get $shapes)))))
    (local.get $total)))
