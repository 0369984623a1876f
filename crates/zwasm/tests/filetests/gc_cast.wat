;; A cast to a final type compares the header, to another one looks at the display.
(module
  (type $base (sub (struct (field i32))))
  (type $leaf (sub final $base (struct (field i32 i32))))
  (func (param $r anyref) (result (ref $leaf)) (ref.cast (ref $leaf) (local.get $r)))
  (func (param $r anyref) (result i32) (ref.test (ref $base) (local.get $r))))
