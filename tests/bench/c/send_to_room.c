/* What a kraken_ws_send_to_room costs its caller: CPU time of the calling thread and time on the clock, alone and with
 * eight threads at once. Prints one line of JSON. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "kraken_ws.h"

enum { CALLS = 20000, MOST = 8 };

typedef struct {
  pthread_t thread;
  double cpu_us, clock_us;
  int refused;
} caller;

static double now_us(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static void *call(void *argument) {
  caller *self = argument;
  kraken_ws_str room = kraken_ws_cstr("channel:1"), event = kraken_ws_cstr("newMessage");
  kraken_ws_str payload = kraken_ws_cstr("{\"channelId\":\"1\",\"content\":\"as long as a short message is\"}");
  double cpu = now_us(CLOCK_THREAD_CPUTIME_ID), clock = now_us(CLOCK_MONOTONIC);
  for (int i = 0; i < CALLS; i++) self->refused += kraken_ws_send_to_room(room, event, payload) != KRAKEN_WS_OK;
  self->cpu_us = (now_us(CLOCK_THREAD_CPUTIME_ID) - cpu) / CALLS;
  self->clock_us = (now_us(CLOCK_MONOTONIC) - clock) / CALLS;
  return NULL;
}

/* Runs all threads at once and returns their mean. */
static caller together(int count) {
  caller callers[MOST] = {0}, mean = {0};
  for (int i = 0; i < count; i++) pthread_create(&callers[i].thread, NULL, call, &callers[i]);
  for (int i = 0; i < count; i++) {
    pthread_join(callers[i].thread, NULL);
    mean.cpu_us += callers[i].cpu_us / count;
    mean.clock_us += callers[i].clock_us / count;
    mean.refused += callers[i].refused;
  }
  return mean;
}

int main(void) {
  kraken_ws_server *server;
  char error[256];
  if (kraken_ws_server_new(NULL, NULL, &server) != KRAKEN_WS_OK || kraken_ws_set_server(server) != KRAKEN_WS_OK) {
    kraken_ws_last_error(error, sizeof error);
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  together(1); /* warms up */
  caller one = together(1), all = together(MOST);
  printf("{\"oneUs\":%.3f,\"oneClockUs\":%.3f,\"threads\":%d,\"allUs\":%.3f,\"allClockUs\":%.3f,\"refused\":%d}\n",
         one.cpu_us, one.clock_us, MOST, all.cpu_us, all.clock_us, one.refused + all.refused);
  return kraken_ws_server_free(server) != KRAKEN_WS_OK;
}
