/* Eight threads send while others replace the process-wide server, close it and free it. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 8, ROUNDS = 20 };

static atomic_bool over;
static atomic_ulong sent, refused;

static void *hammer(void *unused) {
  (void)unused;
  while (!atomic_load(&over)) {
    kraken_ws_status status = kraken_ws_send_to_room(S("channel:1"), S("newMessage"), S("{\"content\":\"hello\"}"));
    switch (status) {
      case KRAKEN_WS_OK: atomic_fetch_add(&sent, 1); break;
      case KRAKEN_WS_ERROR_CLOSED:
      case KRAKEN_WS_ERROR_GONE:
      case KRAKEN_WS_ERROR_STATE:
      case KRAKEN_WS_ERROR_QUEUE_FULL: atomic_fetch_add(&refused, 1); break;
      default: IS(KRAKEN_WS_OK, status);
    }
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  kraken_ws_server *server = NULL, *next;
  kraken_ws_options *options = kraken_ws_options_new();
  /* A server sends what waits before it ends. With the default of 256 MiB that takes too long for a test. */
  IS(KRAKEN_WS_OK, kraken_ws_options_set_json(options, S("{\"commandQueueBytes\":1048576}")));
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, hammer, NULL) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    kraken_ws_callbacks callbacks = {.size = sizeof callbacks};
    unsigned long before = atomic_load(&sent);
    IS(KRAKEN_WS_OK, kraken_ws_server_new(options, i % 2 ? &callbacks : NULL, &next));
    IS(KRAKEN_WS_OK, kraken_ws_set_server(next));
    /* Freed while other threads may be in the middle of a call that uses it. */
    if (server && i % 3) IS(KRAKEN_WS_OK, kraken_ws_server_close(server, 10000));
    IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
    server = next;
    for (int wait = 0; atomic_load(&sent) < before + 100 && wait < 10000; wait++) usleep(1000);
    CHECK(atomic_load(&sent) >= before + 100);
  }
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server)); /* still the process-wide one: GONE from now on */
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_send_to_all(S("e"), S("1")));
  atomic_store(&over, true);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  kraken_ws_options_free(options);
  return 0;
}
