;; A memory with 64-bit addresses may be larger than 4 GiB. Addresses, sizes and
;; the operands of `memory.grow` are then i64; apart from that all is the same.
;;
;; run: zwasm examples/wat/37_memory64.wat --invoke round_trip 65528 -42
;; expect: -42
;; run: zwasm examples/wat/37_memory64.wat --invoke grow 2
;; expect: 1
;; expect: 3
(module
  (memory i64 1 0x1_0000_0000)

  (func (export "round_trip") (param $address i64) (param $value i64) (result i64)
    (i64.store (local.get $address) (local.get $value))
    (i64.load (local.get $address)))

  (func (export "grow") (param $pages i64) (result i64 i64)
    (memory.grow (local.get $pages))
    (memory.size)))
