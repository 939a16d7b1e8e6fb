/* What the tests of this folder share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kraken_ws.h"

#define S(text) kraken_ws_cstr(text)

/* Ends the program unless `it` is so. */
#define CHECK(it)                                                                                \
  do {                                                                                           \
    if (!(it)) {                                                                                 \
      char check_error[512];                                                                     \
      kraken_ws_last_error(check_error, sizeof check_error);                                     \
      fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #it, check_error); \
      exit(1);                                                                                   \
    }                                                                                            \
  } while (0)

/* `call` returns the status KRAKEN_WS_ERROR_name (or KRAKEN_WS_OK). */
#define IS(status, call) is(status, call, #call, __FILE__, __LINE__)

static inline void is(kraken_ws_status expected, kraken_ws_status status, const char *what, const char *file, int line) {
  char error[512];
  if (status == expected) return;
  kraken_ws_last_error(error, sizeof error);
  fprintf(stderr, "%s:%d: %s: expected %s, got %s: %s\n", file, line, what, kraken_ws_status_name(expected),
          kraken_ws_status_name(status), error);
  exit(1);
}

/* The last error's message holds `part`. */
static inline int says(const char *part) {
  char error[512];
  kraken_ws_last_error(error, sizeof error);
  if (strstr(error, part)) return 1;
  fprintf(stderr, "expected \"%s\" in \"%s\"\n", part, error);
  return 0;
}

#endif
