/* A module that calls functions where a module may not, and sends what they returned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kraken_ws.h"

static const kraken_ws_api *api;
static kraken_ws_event *kept;

static void answer(const kraken_ws_event *event, kraken_ws_status status) {
  char error[256], json[512];
  api->last_error(error, sizeof error);
  for (char *c = error; *c; c++)
    if (*c == '"' || *c == '\\') *c = '\'';
  snprintf(json, sizeof json, "{\"status\":%d,\"error\":\"%s\"}", status, error);
  api->event_ack(event, kraken_ws_cstr(json), NULL, 0, 0);
}

static int32_t on_event(void *userdata, const kraken_ws_event *event) {
  (void)userdata;
  if (api->event_is(event, "odd:unload")) { /* itself, in the middle of its own call */
    answer(event, api->server_unload_module(api->event_server(event), kraken_ws_cstr("odd")));
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "odd:replace")) {
    answer(event, api->event_replace(event, kraken_ws_cstr("{"), 0));
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "echo")) {
    /* Replaces another event than the one it is called with. */
    if (kept && api->event_replace(kept, kraken_ws_cstr("1"), 0) != KRAKEN_WS_ERROR_STATE) abort();
    /* Replaces a retained event: the retained one stays as it was, and the host can still answer. */
    if (!kept) kept = api->event_retain(event);
    if (api->event_replace(event, kraken_ws_cstr("[\"replaced\",2]"), KRAKEN_WS_FLAG_SPREAD)) abort();
    if (api->event_arg(kept, 0).len == 0 || api->event_arg_count(kept) != 1) abort();
  }
  return api->event_is(event, "odd:drop") ? KRAKEN_WS_FILTER_DROP : KRAKEN_WS_FILTER_PASS;
}

static void drop(void *userdata) {
  (void)userdata;
  api->event_free(kept);
  kept = NULL;
}

KRAKEN_WS_MODULE_EXPORT kraken_ws_status kraken_ws_module_on_load(kraken_ws_module *module, const kraken_ws_api *table,
                                                                  int argc, const char *const *argv) {
  kraken_ws_filter filter = {.size = sizeof filter, .drop = drop, .on_event = on_event};
  (void)argc;
  (void)argv;
  api = table;
  filter.name = kraken_ws_cstr("odd");
  if (api->module_server(module) == NULL || api->module_set_filter(module, &filter)) return KRAKEN_WS_ERROR_MODULE;
  return api->module_set_filter(module, &filter) == KRAKEN_WS_ERROR_STATE ? KRAKEN_WS_OK : KRAKEN_WS_ERROR_MODULE;
}
