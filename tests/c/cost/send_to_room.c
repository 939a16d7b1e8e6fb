/* What kraken_ws_send_to_room costs its caller, with 8 threads at it and nobody or many in the room.
 *
 *   send_to_room [CALLS_PER_THREAD [PAUSE_US]]
 *
 * Prints per call: CPU time of the calling thread, and percentiles of the time that passed. With more threads than cores
 * the latter includes waiting for a core. With a pause, each thread sends and then sleeps, as an audio or game loop
 * does. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "../check.h"

enum { THREADS = 8 };

static unsigned long calls = 20000, pause_us;
static pthread_barrier_t start;
static atomic_ulong refused;

static uint64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

typedef struct {
  uint64_t cpu_ns;
  uint32_t *took_ns;
} worker;

static void *run(void *argument) {
  worker *w = argument;
  const kraken_ws_str room = S("channel:42"), event = S("newMessage");
  const kraken_ws_str payload = S("{\"id\":\"m-1\",\"channelId\":\"42\",\"author\":\"ada\",\"content\":\"hello, world\"}");
  struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)pause_us * 1000};
  uint64_t slept = 0, begin;
  pthread_barrier_wait(&start);
  begin = now(CLOCK_THREAD_CPUTIME_ID);
  for (unsigned long i = 0; i < calls; i++) {
    uint64_t before = now(CLOCK_MONOTONIC);
    if (kraken_ws_send_to_room(room, event, payload) != KRAKEN_WS_OK) atomic_fetch_add(&refused, 1);
    w->took_ns[i] = (uint32_t)(now(CLOCK_MONOTONIC) - before);
    if (pause_us > 0) {
      uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID);
      nanosleep(&pause, NULL);
      slept += now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    }
  }
  w->cpu_ns = now(CLOCK_THREAD_CPUTIME_ID) - begin - slept;
  return NULL;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  kraken_ws_server *server;
  pthread_t threads[THREADS];
  worker workers[THREADS];
  uint32_t *all;
  uint64_t cpu = 0, clock_cost, began, took;
  if (argc > 1) calls = strtoul(argv[1], NULL, 10);
  if (argc > 2) pause_us = strtoul(argv[2], NULL, 10);
  all = malloc(THREADS * calls * sizeof *all);
  CHECK(all != NULL && calls > 0 && pause_us < 1000000);
  IS(KRAKEN_WS_OK, kraken_ws_server_new(NULL, NULL, &server));
  IS(KRAKEN_WS_OK, kraken_ws_set_server(server));
  pthread_barrier_init(&start, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++) {
    workers[i].took_ns = all + (size_t)i * calls;
    CHECK(pthread_create(&threads[i], NULL, run, &workers[i]) == 0);
  }
  /* The cost of reading the clock twice is subtracted. */
  began = now(CLOCK_MONOTONIC);
  for (int i = 0; i < 10000; i++) now(CLOCK_MONOTONIC);
  clock_cost = (now(CLOCK_MONOTONIC) - began) / 10000;
  pthread_barrier_wait(&start);
  began = now(CLOCK_MONOTONIC);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    cpu += workers[i].cpu_ns;
  }
  took = now(CLOCK_MONOTONIC) - began;
  qsort(all, THREADS * calls, sizeof *all, ascending);
  printf("%d threads, %lu calls each, %lu refused: %.0f ns of CPU per call", THREADS, calls, atomic_load(&refused),
         (double)cpu / THREADS / (double)calls - 2.0 * (double)clock_cost);
  printf(", elapsed p50 %u ns, p90 %u ns, p99 %u ns, p99.9 %u ns, max %u us; %.0f calls/s\n", all[THREADS * calls / 2],
         all[THREADS * calls / 10 * 9], all[THREADS * calls / 100 * 99], all[THREADS * calls / 1000 * 999],
         all[THREADS * calls - 1] / 1000, THREADS * (double)calls * 1e9 / (double)took);
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  free(all);
  return 0;
}
