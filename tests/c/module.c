/* Modules: loaded with arguments, named in errors and figures, refused if they return a failure or are loaded already, not
 * unloaded while one of their calls is under way. examples.test.mjs tests their filters with clients. */
#include "check.h"

int main(void) {
  kraken_ws_server *server;
  const char *words[] = {"darn"};
  char json[512];
  size_t needed;
  IS(KRAKEN_WS_OK, kraken_ws_server_new(NULL, NULL, &server));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_load_module(server, S(PROFANITY_MODULE), 0, NULL));
  CHECK(says("on_load returned 10"));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_load_module(server, S(SHARED_LIBRARY), 0, NULL));
  CHECK(says("does not export kraken_ws_module_on_load"));
  IS(KRAKEN_WS_OK, kraken_ws_server_load_module(server, S(PROFANITY_MODULE), 1, words));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_load_module(server, S(PROFANITY_MODULE), 1, words));
  CHECK(says("a module called \"profanity\" is loaded already"));
  IS(KRAKEN_WS_OK, kraken_ws_server_modules(server, json, sizeof json, &needed));
  CHECK(strstr(json, "\"name\":\"profanity\"") && strstr(json, "\"calls\":0") && strlen(json) == needed);
  IS(KRAKEN_WS_OK, kraken_ws_server_unload_module(server, S("profanity")));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_unload_module(server, S("profanity")));
  IS(KRAKEN_WS_OK, kraken_ws_server_load_module(server, S(PROFANITY_MODULE), 1, words)); /* unloaded with the server */
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  return 0;
}
