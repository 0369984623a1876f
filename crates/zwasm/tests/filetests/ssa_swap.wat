;; Shifts, masks and rotations of whole bytes that put them in the opposite order are a
;; swap; with one bit less they are not.
;;! ssa dce
(module
  (func $swap (param $a i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $a) (i32.const 8)) (i32.const 0xff00ff))
      (i32.and (i32.rotr (local.get $a) (i32.const 8)) (i32.const 0xff00ff00))))
  (func $almost (param $a i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $a) (i32.const 8)) (i32.const 0xff00fe))
      (i32.and (i32.rotr (local.get $a) (i32.const 8)) (i32.const 0xff00ff00)))))
;;! expected
;; dce: function f0 <swap>:
;; b0(v0: i32):
;;   v8: i32 = byte_swap v0
;;   return v8
;; dce: function f1 <almost>:
;; b0(v0: i32):
;;   v1: i32 = const 0x8
;;   v3: i32 = const 0xff00fe
;;   v6: i32 = const 0xff00ff00
;;   v2: i32 = i32.rotl v0, v1
;;   v4: i32 = i32.and v2, v3
;;   v5: i32 = i32.rotr v0, v1
;;   v7: i32 = i32.and v5, v6
;;   v8: i32 = i32.or v4, v7
;;   return v8
