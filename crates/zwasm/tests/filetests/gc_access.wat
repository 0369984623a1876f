;; Fields and elements: a null check, a bounds check, and an address made of the
;; heap's base and the reference.
(module
  (type $pair (struct (field i32) (field (mut i8))))
  (type $list (array (mut i64)))
  (func (param $p (ref null $pair)) (result i32)
    (struct.set $pair 1 (local.get $p) (struct.get $pair 0 (local.get $p)))
    (struct.get_s $pair 1 (local.get $p)))
  (func (param $l (ref null $list)) (param $i i32) (result i64)
    (array.get $list (local.get $l) (local.get $i))))
