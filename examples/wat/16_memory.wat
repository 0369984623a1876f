;; A memory of one page, 64 KiB, addressed by byte. The sieve of Eratosthenes
;; keeps one byte for each number: 0 until it turns out to be a multiple. Beyond
;; the end of the memory, an access is a trap.
;;
;; run: zwasm examples/wat/16_memory.wat --invoke primes_below 1000
;; expect: 168
(module
  (memory 1)

  (func (export "primes_below") (param $end i32) (result i32)
    (local $n i32) (local $multiple i32) (local $count i32)
    (local.set $n (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $n) (local.get $end)))
        (if (i32.eqz (i32.load8_u (local.get $n)))
          (then
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (local.set $multiple (i32.add (local.get $n) (local.get $n)))
            (block $crossed_out
              (loop $cross_out
                (br_if $crossed_out (i32.ge_u (local.get $multiple) (local.get $end)))
                (i32.store8 (local.get $multiple) (i32.const 1))
                (local.set $multiple (i32.add (local.get $multiple) (local.get $n)))
                (br $cross_out)))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $count)))
