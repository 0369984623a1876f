;; What is not made: malformed, invalid, or trapping on the way.

(assert_malformed (component quote "(import \"a\" (func") "expected `)`")
(assert_malformed (component binary "\00asm" "\0d\00\01\00" "\07\02\01") "unexpected end-of-file")
(assert_malformed (component binary "\00asm" "\0c\00\01\00") "unknown binary version")
(assert_malformed (component binary "\00asm" "\01\00\00\00") "expected a version header for a component")
(assert_malformed
  (component binary "\00asm" "\0d\00\01\00" "\0b\07\01\00\01e\01\00\02")
  "invalid leading byte (0x2) for optional component export type")

(assert_invalid (component (import "A-b" (func)) (import "a-B" (func))) "conflicts with previous name")
(assert_invalid (component (import "not kebab" (func))) "not in kebab case")
(assert_invalid
  (component (core module (func (result i32))))
  "type mismatch: expected i32 but nothing on stack")
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (param "s" string) (canon lift (core func $i "f"))))
  "canonical option `memory` is required")
(assert_invalid (component (type (flags))) "flags must have at least one entry")
(assert_invalid
  (component (type (flags
    "a0" "a1" "a2" "a3" "a4" "a5" "a6" "a7" "b0" "b1" "b2" "b3" "b4" "b5" "b6" "b7" "c0" "c1" "c2"
    "c3" "c4" "c5" "c6" "c7" "d0" "d1" "d2" "d3" "d4" "d5" "d6" "d7" "e0")))
  "cannot have more than 32 flags")

(assert_trap
  (component
    (core module $m (func $f unreachable) (start $f))
    (core instance (instantiate $m)))
  "unreachable")
(assert_trap
  (component
    (core module $m (memory 1) (data (i32.const 65536) "x"))
    (core instance (instantiate $m)))
  "out of bounds memory access")

(component binary "\00asm" "\0d\00\01\00")
(component quote "(core module (func))")
(component definition binary "\00asm" "\0d\00\01\00")
(component instance $empty)
