;; Every kind of value as argument and result: first those that are one core value, then
;; others, which a core function gets in memory if its parameters are too many to be core
;; values, and returns by saying where they are.

(component
  (core module $m
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "same-f32") (param f32) (result f32) (local.get 0))
    (func (export "same-f64") (param f64) (result f64) (local.get 0))
    (func (export "same-i64") (param i64) (result i64) (local.get 0))
    (func (export "odd-nan") (result f64) (f64.const -nan:0x4000000000001))
    (func (export "none")))
  (core instance $i (instantiate $m))
  (alias core export $i "same" (core func $same))
  (alias core export $i "same-i64" (core func $same-i64))

  (func (export "bool") (param "x" bool) (result bool) (canon lift (core func $same)))
  (func (export "u8") (param "x" u8) (result u8) (canon lift (core func $same)))
  (func (export "s8") (param "x" s8) (result s8) (canon lift (core func $same)))
  (func (export "u16") (param "x" u16) (result u16) (canon lift (core func $same)))
  (func (export "s16") (param "x" s16) (result s16) (canon lift (core func $same)))
  (func (export "u32") (param "x" u32) (result u32) (canon lift (core func $same)))
  (func (export "s32") (param "x" s32) (result s32) (canon lift (core func $same)))
  (func (export "u64") (param "x" u64) (result u64) (canon lift (core func $same-i64)))
  (func (export "s64") (param "x" s64) (result s64) (canon lift (core func $same-i64)))
  (func (export "f32") (param "x" f32) (result f32) (canon lift (core func $i "same-f32")))
  (func (export "f64") (param "x" f64) (result f64) (canon lift (core func $i "same-f64")))
  (func (export "char") (param "x" char) (result char) (canon lift (core func $same)))
  (func (export "odd-nan") (result f64) (canon lift (core func $i "odd-nan")))
  (func (export "none") (canon lift (core func $i "none")))
  ;; A discriminant beyond those there are is refused, a byte beyond its type cut off.
  (func (export "bool-of") (param "x" u32) (result bool) (canon lift (core func $same)))
  (func (export "u8-of") (param "x" u32) (result u8) (canon lift (core func $same)))
  (func (export "s8-of") (param "x" u32) (result s8) (canon lift (core func $same)))
  (func (export "char-of") (param "x" u32) (result char) (canon lift (core func $same)))
)

(assert_return (invoke "bool" (bool.const true)) (bool.const true))
(assert_return (invoke "u8" (u8.const 255)) (u8.const 255))
(assert_return (invoke "s8" (s8.const -128)) (s8.const -128))
(assert_return (invoke "u16" (u16.const 65535)) (u16.const 65535))
(assert_return (invoke "s16" (s16.const -32768)) (s16.const -32768))
(assert_return (invoke "u32" (u32.const 4294967295)) (u32.const 4294967295))
(assert_return (invoke "s32" (s32.const -2147483648)) (s32.const -2147483648))
(assert_return (invoke "u64" (u64.const 18446744073709551615)) (u64.const 18446744073709551615))
(assert_return (invoke "s64" (s64.const -1)) (s64.const -1))
(assert_return (invoke "f32" (f32.const -0.0)) (f32.const -0.0))
(assert_return (invoke "f32" (f32.const inf)) (f32.const inf))
(assert_return (invoke "f64" (f64.const 1.5)) (f64.const 1.5))
(assert_return (invoke "char" (char.const "\u{10ffff}")) (char.const "\u{10ffff}"))
(assert_return (invoke "none"))

;; There is one NaN; which bits it has is nobody's business, but those of this one stay.
(assert_return (invoke "f32" (f32.const nan)) (f32.const nan:canonical))
(assert_return (invoke "f32" (f32.const -nan:0x200001)) (f32.const nan))
(assert_return (invoke "odd-nan") (f64.const nan))

(assert_return (invoke "bool-of" (u32.const 256)) (bool.const true))
(assert_return (invoke "u8-of" (u32.const 0x1ff)) (u8.const 255))
(assert_return (invoke "s8-of" (u32.const 0x1ff)) (s8.const -1))
(assert_trap (invoke "char-of" (u32.const 0xd800)) "invalid `char` bit pattern")
;; No call enters an instance that trapped.
(assert_trap (invoke "none") "cannot enter component instance")

;; Seventeen characters make the rest of the parameters lie in memory.
(component
  (core module $m
    (memory (export "m") 1)
    (global $at (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $r i32)
      (local.set $r (i32.and (i32.add (global.get $at) (i32.const 7)) (i32.const -8)))
      (global.set $at (i32.add (local.get $r) (local.get 3)))
      (memory.copy (local.get $r) (local.get 0) (local.get 1))
      (local.get $r))
    (func (export "same") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $pad (tuple char char char char char char char char char char char char char char char
    char char))
  (type $record' (record (field "a" u8) (field "b" string) (field "c" f64)))
  (export $record "record" (type $record'))
  (type $variant' (variant (case "none") (case "int" s64) (case "record" $record)))
  (export $variant "variant" (type $variant'))
  (type $enum' (enum "a" "b" "c"))
  (export $enum "enum" (type $enum'))
  (type $flags' (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8"))
  (export $flags "flags" (type $flags'))
  (func (export "list") (param "pad" $pad) (param "x" (list string))
    (result (tuple $pad (list string)))
    (canon lift (core func $i "same") (memory (core memory $i "m")) (realloc (core func $i "realloc"))))
  (type $args (tuple
    (list $record) (list (list u16)) $variant (list $variant) $enum $flags
    (option (option u8)) (result string (error $enum)) (result) (list f32 3) (map string u32)))
  (func (export "all") (param "pad" $pad) (param "x" $args) (result (tuple $pad $args))
    (canon lift (core func $i "same") (memory (core memory $i "m")) (realloc (core func $i "realloc"))))
)

(assert_return
  (invoke "list"
    (tuple.const
      (char.const "a") (char.const "b") (char.const "c") (char.const "d") (char.const "e")
      (char.const "f") (char.const "g") (char.const "h") (char.const "i") (char.const "j")
      (char.const "k") (char.const "l") (char.const "m") (char.const "n") (char.const "o")
      (char.const "p") (char.const "q"))
    (list.const (str.const "") (str.const "\u{1f600}\n") (str.const "caf\u{e9}")))
  (tuple.const
    (tuple.const
      (char.const "a") (char.const "b") (char.const "c") (char.const "d") (char.const "e")
      (char.const "f") (char.const "g") (char.const "h") (char.const "i") (char.const "j")
      (char.const "k") (char.const "l") (char.const "m") (char.const "n") (char.const "o")
      (char.const "p") (char.const "q"))
    (list.const (str.const "") (str.const "\u{1f600}\n") (str.const "caf\u{e9}"))))

(assert_return
  (invoke "all"
    (tuple.const
      (char.const "a") (char.const "b") (char.const "c") (char.const "d") (char.const "e")
      (char.const "f") (char.const "g") (char.const "h") (char.const "i") (char.const "j")
      (char.const "k") (char.const "l") (char.const "m") (char.const "n") (char.const "o")
      (char.const "p") (char.const "q"))
    (tuple.const
      (list.const
        (record.const (field "a" u8.const 1) (field "b" str.const "x") (field "c" f64.const 0.5))
        (record.const (field "a" u8.const 2) (field "b" str.const "") (field "c" f64.const nan)))
      (list.const (list.const) (list.const (u16.const 1) (u16.const 65535)))
      (variant.const "int" (s64.const -5))
      (list.const
        (variant.const "none")
        (variant.const "record"
          (record.const (field "a" u8.const 3) (field "b" str.const "y") (field "c" f64.const -0.0))))
      (enum.const "c")
      (flags.const "f8" "f0")
      (option.some (option.none))
      (result.err (enum.const "b"))
      (result.ok)
      (list.const (f32.const 1) (f32.const 2) (f32.const 3))
      (map.const (entry (str.const "one") (u32.const 1)) (entry (str.const "two") (u32.const 2)))))
  (tuple.const
    (tuple.const
      (char.const "a") (char.const "b") (char.const "c") (char.const "d") (char.const "e")
      (char.const "f") (char.const "g") (char.const "h") (char.const "i") (char.const "j")
      (char.const "k") (char.const "l") (char.const "m") (char.const "n") (char.const "o")
      (char.const "p") (char.const "q"))
    (tuple.const
      (list.const
        (record.const (field "a" u8.const 1) (field "b" str.const "x") (field "c" f64.const 0.5))
        (record.const (field "a" u8.const 2) (field "b" str.const "") (field "c" f64.const nan)))
      (list.const (list.const) (list.const (u16.const 1) (u16.const 65535)))
      (variant.const "int" (s64.const -5))
      (list.const
        (variant.const "none")
        (variant.const "record"
          (record.const (field "a" u8.const 3) (field "b" str.const "y") (field "c" f64.const -0.0))))
      (enum.const "c")
      (flags.const "f0" "f8")
      (option.some (option.none))
      (result.err (enum.const "b"))
      (result.ok)
      (list.const (f32.const 1) (f32.const 2) (f32.const 3))
      (map.const (entry (str.const "one") (u32.const 1)) (entry (str.const "two") (u32.const 2))))))
