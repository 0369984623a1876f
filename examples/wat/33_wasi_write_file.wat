;; Writes a file, reads it back and prints it. A program has no files but those
;; below the directories that it was given, which are open when it starts: the
;; first `--dir` is descriptor 3. Paths are relative to such a descriptor.
;;
;; Memory: 0 the one piece, 8 the count of bytes read or written, 12 the new
;; descriptor, 32 the path, 64 the text, 1024 a buffer.
;;
;; run: zwasm examples/wat/33_wasi_write_file.wat --dir .
;; expect: written by a guest
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param $fd i32) (param $lookup i32) (param $path i32) (param $length i32)
      (param $create i32) (param $rights i64) (param $inherited i64) (param $flags i32)
      (param $opened i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param $fd i32) (param $pieces i32) (param $count i32) (param $read i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $pieces i32) (param $count i32) (param $written i32)
      (result i32)))
  (import "wasi_snapshot_preview1" "fd_close"
    (func $fd_close (param $fd i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  (memory (export "memory") 1)
  (data (i32.const 32) "hello.txt")
  (data (i32.const 64) "written by a guest\n")

  (func (export "_start")
    (local $file i32)
    ;; Creates the file or empties it (1 + 8) for writing (64).
    (local.set $file (call $open (i32.const 9) (i64.const 64)))
    (call $piece (i32.const 64) (i32.const 19))
    (call $check
      (call $fd_write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $check (call $fd_close (local.get $file)))
    ;; Opens it as it is for reading (2).
    (local.set $file (call $open (i32.const 0) (i64.const 2)))
    (call $piece (i32.const 1024) (i32.const 4096))
    (call $check
      (call $fd_read (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $check (call $fd_close (local.get $file)))
    (call $piece (i32.const 1024) (i32.load (i32.const 8)))
    (call $check
      (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  ;; Opens the file, with what to do about creating it and what it is for.
  (func $open (param $create i32) (param $rights i64) (result i32)
    (call $check
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 9)
        (local.get $create) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 12)))
    (i32.load (i32.const 12)))

  ;; Describes the piece of memory to be read into or written from.
  (func $piece (param $from i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $bytes)))

  ;; Ends the program with the error number, if a system call gave one.
  (func $check (param $errno i32)
    (if (local.get $errno)
      (then (call $proc_exit (local.get $errno))))))
