"""Runs a module from Python, with nothing but ctypes.

The library is the first argument, by default libzwasm.so where the system looks.

run: guest.py
expect: 6 * 7 = 42
expect: the guest says: hello from the guest
expect: dividing by zero: integer divide by zero
"""

import ctypes
import sys
from ctypes import (CFUNCTYPE, POINTER, Structure, Union, byref, c_bool, c_char,
                    c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint8,
                    c_void_p)

TEXT = rb"""
(module
  (import "host" "say" (func $say (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello from the guest")
  (func (export "mul") (param i32 i32) (result i32)
    (i32.mul (local.get 0) (local.get 1)))
  (func (export "greet") (call $say (i32.const 16) (i32.const 20)))
  (func (export "div") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1))))
"""


class Bytes(Structure):
    """wasm_byte_vec_t"""
    _fields_ = [("size", c_size_t), ("data", POINTER(c_char))]

    def take(self):
        """The bytes, which the library no longer needs."""
        value = ctypes.string_at(self.data, self.size)
        lib.wasm_byte_vec_delete(byref(self))
        return value


class Pointers(Structure):
    """wasm_extern_vec_t and the other vectors of pointers"""
    _fields_ = [("size", c_size_t), ("data", POINTER(c_void_p))]


class Of(Union):
    _fields_ = [("i32", c_int32), ("i64", c_int64), ("f32", c_float),
                ("f64", c_double), ("ref", c_void_p)]


class Val(Structure):
    """wasm_val_t"""
    _fields_ = [("kind", c_uint8), ("of", Of)]


class Vals(Structure):
    """wasm_val_vec_t"""
    _fields_ = [("size", c_size_t), ("data", POINTER(Val))]


I32 = 0
Callback = CFUNCTYPE(c_void_p, POINTER(Vals), POINTER(Vals))

lib = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libzwasm.so")


def declare(name, result, *arguments):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


declare("zwasm_last_error", c_char_p)
declare("zwasm_wat2wasm", c_bool, c_char_p, POINTER(Bytes))
declare("wasm_byte_vec_delete", None, POINTER(Bytes))
declare("wasm_engine_new", c_void_p)
declare("wasm_engine_delete", None, c_void_p)
declare("wasm_store_new", c_void_p, c_void_p)
declare("wasm_store_delete", None, c_void_p)
declare("wasm_module_new", c_void_p, c_void_p, POINTER(Bytes))
declare("wasm_module_delete", None, c_void_p)
declare("wasm_valtype_new", c_void_p, c_uint8)
declare("wasm_valtype_vec_new", None, POINTER(Pointers), c_size_t, POINTER(c_void_p))
declare("wasm_functype_new", c_void_p, POINTER(Pointers), POINTER(Pointers))
declare("wasm_functype_delete", None, c_void_p)
declare("wasm_func_new", c_void_p, c_void_p, c_void_p, Callback)
declare("wasm_func_as_extern", c_void_p, c_void_p)
declare("wasm_func_delete", None, c_void_p)
declare("wasm_func_call", c_void_p, c_void_p, POINTER(Vals), POINTER(Vals))
declare("wasm_func_result_arity", c_size_t, c_void_p)
declare("wasm_instance_new", c_void_p, c_void_p, c_void_p, POINTER(Pointers),
        POINTER(c_void_p))
declare("wasm_instance_delete", None, c_void_p)
declare("zwasm_instance_export", c_void_p, c_void_p, c_char_p)
declare("wasm_extern_as_func", c_void_p, c_void_p)
declare("wasm_extern_as_memory", c_void_p, c_void_p)
declare("wasm_extern_delete", None, c_void_p)
declare("wasm_memory_data", c_void_p, c_void_p)
declare("wasm_trap_message", None, c_void_p, POINTER(Bytes))
declare("wasm_trap_delete", None, c_void_p)


class Trap(Exception):
    """The guest was stopped."""

    def __init__(self, trap):
        message = Bytes()
        lib.wasm_trap_message(trap, byref(message))
        lib.wasm_trap_delete(trap)
        super().__init__(message.take().rstrip(b"\0").decode())


def check(value):
    if not value:
        raise RuntimeError(lib.zwasm_last_error().decode())
    return value


def types(count):
    """A vector of so many i32."""
    vector = Pointers()
    elements = (c_void_p * count)(*(lib.wasm_valtype_new(I32) for _ in range(count)))
    lib.wasm_valtype_vec_new(byref(vector), count, elements)
    return vector


def call(instance, name, *numbers):
    """Calls an exported function of 32-bit integers."""
    export = check(lib.zwasm_instance_export(instance, name))
    func = check(lib.wasm_extern_as_func(export))
    arguments = (Val * len(numbers))(*(Val(I32, Of(i32=each)) for each in numbers))
    results = (Val * lib.wasm_func_result_arity(func))()
    trap = lib.wasm_func_call(func, byref(Vals(len(arguments), arguments)),
                              byref(Vals(len(results), results)))
    lib.wasm_extern_delete(export)
    if trap:
        raise Trap(trap)
    return [each.of.i32 for each in results]


def main():
    engine = check(lib.wasm_engine_new())
    store = check(lib.wasm_store_new(engine))
    binary = Bytes()
    check(lib.zwasm_wat2wasm(TEXT, byref(binary)))
    module = check(lib.wasm_module_new(store, byref(binary)))
    lib.wasm_byte_vec_delete(byref(binary))

    instance = None

    @Callback
    def say(arguments, _results):
        start, length = (arguments[0].data[index].of.i32 for index in (0, 1))
        export = lib.zwasm_instance_export(instance, b"memory")
        data = lib.wasm_memory_data(lib.wasm_extern_as_memory(export))
        text = ctypes.string_at(data + start, length).decode()
        lib.wasm_extern_delete(export)
        print("the guest says:", text)
        return None

    say_type = check(lib.wasm_functype_new(byref(types(2)), byref(types(0))))
    func = check(lib.wasm_func_new(store, say_type, say))
    lib.wasm_functype_delete(say_type)
    imports = (c_void_p * 1)(lib.wasm_func_as_extern(func))
    trap = c_void_p()
    instance = lib.wasm_instance_new(store, module, byref(Pointers(1, imports)), byref(trap))
    if not instance:
        raise Trap(trap)
    lib.wasm_func_delete(func)
    lib.wasm_module_delete(module)

    print("6 * 7 =", *call(instance, b"mul", 6, 7))
    call(instance, b"greet")
    try:
        call(instance, b"div", 1, 0)
    except Trap as trap:
        print("dividing by zero:", trap)

    lib.wasm_instance_delete(instance)
    lib.wasm_store_delete(store)
    lib.wasm_engine_delete(engine)


if __name__ == "__main__":
    main()
