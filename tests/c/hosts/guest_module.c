/* A module for Node, which tests/node/modules.test.mjs loads: it calls functions that it may and may not call, and
 * sends what they returned. With an argument it makes a file of that name when it is dropped. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kraken_ws.h"

static const kraken_ws_api *api;
static char *farewell;
static kraken_ws_event *kept;

static int has(kraken_ws_str text, const char *part) {
  size_t len = strlen(part);
  for (size_t i = 0; i + len <= text.len; i++)
    if (memcmp(text.ptr + i, part, len) == 0) return 1;
  return 0;
}

static int32_t on_connect(void *userdata, const kraken_ws_event *event) {
  (void)userdata;
  if (has(api->event_auth(event), "\"welcome\"")) return api->event_accept(event) ? KRAKEN_WS_FILTER_DROP : KRAKEN_WS_FILTER_PASS;
  return has(api->event_auth(event), "\"unwanted\"") ? KRAKEN_WS_FILTER_DROP : KRAKEN_WS_FILTER_PASS;
}

static void *answer_later(void *kept) {
  api->event_ack(kept, kraken_ws_cstr("\"later\""), NULL, 0, 0);
  api->event_free(kept);
  return NULL;
}

/* Calls all functions that only the owner of the server may call. */
static void try_to_own(const kraken_ws_event *event) {
  kraken_ws_server *server = api->event_server(event);
  kraken_ws_event *polled;
  char json[512], error[256];
  size_t count;
  int32_t fd;
  kraken_ws_status closed = api->server_close(server, 1000), freed = api->server_free(server);
  kraken_ws_status polling = api->server_poll(server, &polled, 1, 0, &count), descriptor = api->server_event_fd(server, &fd);
  kraken_ws_status created = api->server_create_namespace(server, kraken_ws_cstr("/mine"));
  api->last_error(error, sizeof error);
  snprintf(json, sizeof json, "[%d,%d,%d,%d,%d,\"%s\"]", closed, freed, polling, descriptor, created, error);
  api->event_ack(event, kraken_ws_cstr(json), NULL, 0, 0);
}

static int32_t on_event(void *userdata, const kraken_ws_event *event) {
  kraken_ws_server *server = api->event_server(event);
  kraken_ws_str room = kraken_ws_cstr("told"), first = api->event_arg(event, 0);
  char json[512], error[256];
  kraken_ws_status status;
  pthread_t thread;
  (void)userdata;
  if (api->event_is(event, "who")) {
    kraken_ws_str id = api->event_socket_id(event), nsp = api->event_namespace(event);
    snprintf(json, sizeof json, "[\"%.*s\",\"%.*s\"]", (int)id.len, id.ptr, (int)nsp.len, nsp.ptr);
    api->event_ack(event, kraken_ws_cstr(json), NULL, 0, 0);
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "answered")) {
    api->event_ack(event, kraken_ws_cstr("\"by the module\""), NULL, 0, 0);
    return KRAKEN_WS_FILTER_PASS;
  }
  if (api->event_is(event, "tell")) {
    kraken_ws_target target = {.size = sizeof target, .nsp = api->event_namespace(event), .rooms = &room, .rooms_len = 1};
    api->server_socket_join(server, api->event_socket(event), &room, 1);
    api->server_publish(server, &target, room, first, NULL, 0);
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "later")) {
    if (pthread_create(&thread, NULL, answer_later, api->event_retain(event)) == 0) pthread_detach(thread);
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "keep") && !kept) kept = api->event_retain(event);
  if (api->event_is(event, "mine")) {
    try_to_own(event);
    return KRAKEN_WS_FILTER_DROP;
  }
  if (api->event_is(event, "unload")) { /* itself, in the middle of its own call */
    status = api->server_unload_module(server, kraken_ws_cstr("guest"));
    api->last_error(error, sizeof error);
    snprintf(json, sizeof json, "[%d,\"%s\"]", status, error);
    api->event_ack(event, kraken_ws_cstr(json), NULL, 0, 0);
    return KRAKEN_WS_FILTER_DROP;
  }
  return KRAKEN_WS_FILTER_PASS;
}

static void on_disconnect(void *userdata, const kraken_ws_event *event) {
  kraken_ws_str id = api->event_socket_id(event), reason = api->event_reason_text(event);
  char json[128];
  (void)userdata;
  snprintf(json, sizeof json, "[\"%.*s\",\"%.*s\"]", (int)id.len, id.ptr, (int)reason.len, reason.ptr);
  api->server_send_to_all(api->event_server(event), kraken_ws_cstr("gone"), kraken_ws_cstr(json), NULL, 0);
}

static void drop(void *userdata) {
  FILE *file = farewell ? fopen(farewell, "w") : NULL;
  (void)userdata;
  api->event_free(kept);
  kept = NULL;
  if (file) fclose(file);
  free(farewell);
  farewell = NULL;
}

KRAKEN_WS_MODULE_EXPORT kraken_ws_status kraken_ws_module_on_load(kraken_ws_module *module, const kraken_ws_api *table,
                                                                  int argc, const char *const *argv) {
  kraken_ws_filter filter = {.size = sizeof filter,
                             .drop = drop,
                             .on_connect = on_connect,
                             .on_event = on_event,
                             .on_disconnect = on_disconnect};
  kraken_ws_server *server = table->module_server(module);
  api = table;
  filter.name = kraken_ws_cstr("guest");
  /* Loads another module during its own load. */
  if (api->server_load_module(server, kraken_ws_cstr("/none.so"), 0, NULL) != KRAKEN_WS_ERROR_BUSY) return KRAKEN_WS_ERROR_BUSY;
  if (argc > 0) {
    farewell = malloc(strlen(argv[0]) + 1);
    if (farewell) strcpy(farewell, argv[0]);
  }
  return api->module_set_filter(module, &filter);
}
