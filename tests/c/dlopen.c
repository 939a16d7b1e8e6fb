/* A host that loads the library at run time and looks up one symbol. */
#include <dlfcn.h>

#include <stdio.h>
#include <string.h>

/* Only types, macros and inline functions of the header are used: the library is not linked. */
#include "kraken_ws.h"

#define S(text) kraken_ws_cstr(text)
#define CHECK(it)                                                          \
  do {                                                                     \
    if (!(it)) {                                                           \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #it);     \
      return 1;                                                            \
    }                                                                      \
  } while (0)

typedef const kraken_ws_api *(*get_api)(uint32_t, size_t);

int main(void) {
  void *library = dlopen(SHARED_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  get_api get;
  const kraken_ws_api *api;
  kraken_ws_server *server;
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  *(void **)&get = dlsym(library, "kraken_ws_get_api");
  CHECK(get != NULL);
  CHECK(get(KRAKEN_WS_ABI_VERSION + 1, sizeof *api) == NULL);
  api = get(KRAKEN_WS_ABI_VERSION, sizeof *api);
  CHECK(api != NULL && strcmp(api->version(), EXPECTED_VERSION) == 0);
  CHECK(api->server_new(NULL, NULL, &server) == KRAKEN_WS_OK);
  CHECK(api->server_listen(server, S("127.0.0.1"), 0, NULL) == KRAKEN_WS_OK);
  CHECK(api->server_send_to_all(server, S("e"), S("1"), NULL, 0) == KRAKEN_WS_OK);
  CHECK(api->server_free(server) == KRAKEN_WS_OK);
  CHECK(dlclose(library) == 0);
  /* It stays mapped (-z nodelete), because threads that end still run its code. */
  CHECK(strcmp(api->version(), EXPECTED_VERSION) == 0);
  return 0;
}
