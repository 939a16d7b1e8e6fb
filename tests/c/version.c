/* A host sees the version of the library it was linked with, and the header says the same. */
#include "check.h"

int main(void) {
  char version[32];
  CHECK(strcmp(kraken_ws_version(), EXPECTED_VERSION) == 0);
  CHECK(strcmp(KRAKEN_WS_VERSION, EXPECTED_VERSION) == 0);
  snprintf(version, sizeof version, "%d.%d.%d", KRAKEN_WS_VERSION_MAJOR, KRAKEN_WS_VERSION_MINOR, KRAKEN_WS_VERSION_PATCH);
  CHECK(strcmp(version, EXPECTED_VERSION) == 0);
  return 0;
}
