/* A module: replaces words in what clients send by stars, and refuses clients whose name is one of the words, which are its
 * arguments. Load it with kraken_ws_server_load_module, or give it to chat_host. It links to nothing: all functions that it
 * calls are in the table that it gets. */
#include <stdlib.h>
#include <string.h>

#include "kraken_ws.h"

typedef struct {
  const kraken_ws_api *api;
  size_t count;
  char **words;
} filter;

/* Replaces each word in `text` by stars and returns how many it found. Upper and lower case are the same. */
static int star_out(const filter *f, char *text, size_t len) {
  int found = 0;
  for (size_t w = 0; w < f->count; w++) {
    size_t size = strlen(f->words[w]);
    for (size_t at = 0; size > 0 && at + size <= len; at++) {
      size_t i = 0;
      while (i < size && (text[at + i] | 32) == (f->words[w][i] | 32)) i++;
      if (i < size) continue;
      memset(text + at, '*', size);
      found++;
    }
  }
  return found;
}

static int32_t on_event(void *userdata, const kraken_ws_event *event) {
  const filter *f = userdata;
  const kraken_ws_api *api = f->api;
  kraken_ws_str payload = api->event_arg(event, 0), clean;
  char *copy;
  int32_t verdict = KRAKEN_WS_FILTER_PASS;
  if (!api->event_is(event, KRAKEN_WS_CLIENT_EVENT_SEND_MESSAGE) || api->event_arg_count(event) != 1) return verdict;
  copy = malloc(payload.len + 1);
  if (!copy) return KRAKEN_WS_FILTER_DROP;
  memcpy(copy, payload.ptr, payload.len);
  clean.ptr = copy;
  clean.len = payload.len;
  /* Only letters inside JSON strings have been replaced, so this is still JSON. */
  if (star_out(f, copy, payload.len) > 0 && api->event_replace(event, clean, 0)) verdict = KRAKEN_WS_FILTER_DROP;
  free(copy);
  return verdict;
}

static int32_t on_connect(void *userdata, const kraken_ws_event *event) {
  const filter *f = userdata;
  kraken_ws_str auth = f->api->event_auth(event);
  char *copy = malloc(auth.len + 1);
  int found;
  if (!copy) return KRAKEN_WS_FILTER_DROP;
  memcpy(copy, auth.ptr, auth.len);
  found = star_out(f, copy, auth.len);
  free(copy);
  if (!found) return KRAKEN_WS_FILTER_PASS;
  f->api->event_reject(event, kraken_ws_cstr("{\"message\":\"AUTH_FAILED\",\"data\":{\"message\":\"name: mind your "
                                               "language\"}}"));
  return KRAKEN_WS_FILTER_DROP;
}

static void drop(void *userdata) {
  filter *f = userdata;
  for (size_t i = 0; i < f->count; i++) free(f->words[i]);
  free(f->words);
  free(f);
}

KRAKEN_WS_MODULE_EXPORT kraken_ws_status kraken_ws_module_on_load(kraken_ws_module *module, const kraken_ws_api *api,
                                                                  int argc, const char *const *argv) {
  kraken_ws_filter functions = {.size = sizeof functions, .drop = drop, .on_connect = on_connect, .on_event = on_event};
  filter *f;
  if (api->abi_version != KRAKEN_WS_ABI_VERSION || api->size < sizeof *api) return KRAKEN_WS_ERROR_UNSUPPORTED;
  if (argc < 1) return KRAKEN_WS_ERROR_ARGUMENT;
  f = calloc(1, sizeof *f);
  if (!f) return KRAKEN_WS_ERROR_SYSTEM;
  f->api = api;
  f->words = calloc((size_t)argc, sizeof *f->words);
  for (; f->words && f->count < (size_t)argc; f->count++) {
    size_t size = strlen(argv[f->count]) + 1;
    f->words[f->count] = malloc(size);
    if (!f->words[f->count]) break;
    memcpy(f->words[f->count], argv[f->count], size);
  }
  functions.name = kraken_ws_cstr("profanity");
  functions.userdata = f;
  return api->module_set_filter(module, &functions);
}
