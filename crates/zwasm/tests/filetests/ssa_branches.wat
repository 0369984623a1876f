;; Branches that are decided, and blocks that do nothing but go elsewhere.
;;! ssa build branches
(module
  (func $twice (param $c i32) (result i32)
    (if (local.get $c)
      (then (if (local.get $c) (then (return (i32.const 1))) (else (return (i32.const 2))))))
    (i32.const 3))
  (func $both (param $a i32) (param $b i32) (result i32)
    ;; The value of `a && b` is known on one of the ways.
    (if (result i32)
      (if (result i32) (local.get $a) (then (local.get $b)) (else (i32.const 0)))
      (then (i32.const 10))
      (else (i32.const 20))))
  (func $straight (param $x i32) (result i32)
    (block $a (block $b (br $b)) (br $a))
    (i32.add (local.get $x) (i32.const 1))))
