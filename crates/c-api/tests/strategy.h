/* Included before an example by the tests: its engines run the guest as the
 * environment says. */

#include <stdlib.h>

#include "zwasm.h"

static inline wasm_engine_t* engine_with_strategy(void) {
  const char* strategy = getenv("TEST_STRATEGY");
  wasm_config_t* config = wasm_config_new();
  zwasm_config_strategy(config, strategy ? (zwasm_strategy_t)atoi(strategy) : 0);
  return wasm_engine_new_with_config(config);
}

#define wasm_engine_new engine_with_strategy
