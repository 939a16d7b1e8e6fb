/* As much JSON as the examples need: a member of an object as text, and text as a JSON string. It relies on the library,
 * which gives valid JSON only. A real host would use a JSON library such as yyjson or cJSON. */
#ifndef EXAMPLE_JSON_H
#define EXAMPLE_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kraken_ws.h"

/* Where the value that begins at `at` ends. */
static inline size_t json_skip(kraken_ws_str json, size_t at) {
  int depth = 0;
  bool text = false;
  for (; at < json.len; at++) {
    char c = json.ptr[at];
    if (text) {
      if (c == '\\') at++;
      else if (c == '"') text = false;
    } else if (c == '"') {
      text = true;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth-- == 0) return at;
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return at;
    }
  }
  return json.len;
}

static inline kraken_ws_str json_slice(kraken_ws_str json, size_t from, size_t to) {
  kraken_ws_str out;
  while (from < to && strchr(" \t\r\n", json.ptr[from])) from++;
  while (to > from && strchr(" \t\r\n", json.ptr[to - 1])) to--;
  out.ptr = json.ptr + from;
  out.len = to - from;
  return out;
}

/* The JSON text of the member `name` of an object; empty if there is none. */
static inline kraken_ws_str json_member(kraken_ws_str json, const char *name) {
  kraken_ws_str none = {NULL, 0};
  size_t at = 1;
  if (json.len < 2 || json.ptr[0] != '{') return none;
  while (at < json.len) {
    size_t colon = json_skip(json, at), end;
    kraken_ws_str key = json_slice(json, at, colon);
    if (colon >= json.len || json.ptr[colon] != ':') return none;
    end = json_skip(json, colon + 1);
    if (key.len == strlen(name) + 2 && memcmp(key.ptr + 1, name, key.len - 2) == 0) return json_slice(json, colon + 1, end);
    at = end + 1;
  }
  return none;
}

static inline bool json_is_text(kraken_ws_str json) { return json.len >= 2 && json.ptr[0] == '"'; }

static inline bool json_equals(kraken_ws_str json, const char *text) {
  return json_is_text(json) && json.len == strlen(text) + 2 && memcmp(json.ptr + 1, text, json.len - 2) == 0;
}

/* A JSON string without its quotes, for names that need no escapes; false if it does, is empty or does not fit. */
static inline bool json_plain(kraken_ws_str json, char *out, size_t size) {
  if (!json_is_text(json) || json.len == 2 || json.len - 2 >= size || memchr(json.ptr, '\\', json.len)) return false;
  memcpy(out, json.ptr + 1, json.len - 2);
  out[json.len - 2] = 0;
  return true;
}

#endif
