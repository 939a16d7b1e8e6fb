/* The table has each function in its place and with its type: comparing pointers of different types does not compile. */
#include "check.h"

int main(void) {
  const kraken_ws_api *api = kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof *api);
  size_t count = 0;
  CHECK(api != NULL);
  CHECK(api->size == sizeof *api && api->abi_version == KRAKEN_WS_ABI_VERSION);
#define SAME(name) \
  CHECK(api->name == kraken_ws_##name); \
  count++;
#include "symbols.inc" /* SAME(version) SAME(poll) …: made from ffi/symbols.txt by run.sh */
  CHECK(sizeof *api == 16 + count * sizeof(void *));
  return 0;
}
