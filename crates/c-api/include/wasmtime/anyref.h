/* wasmtime/anyref.h: all of wasmtime.h, which is one file here. */
#include "../wasmtime.h"
