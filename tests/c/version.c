/* A host sees the version of the library it was linked with. */
#include <stdio.h>
#include <string.h>

#include "kraken_ws.h"

int main(void) {
  const char *version = kraken_ws_version();
  if (version == NULL || strcmp(version, EXPECTED_VERSION) != 0) {
    fprintf(stderr, "expected version %s, got %s\n", EXPECTED_VERSION,
            version ? version : "(null)");
    return 1;
  }
  printf("kraken_ws %s\n", version);
  return 0;
}
