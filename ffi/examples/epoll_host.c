/* A host with its own event loop: one epoll instance waits for the server, a timer and Ctrl-C. There are no callbacks, so no
 * thread of the library runs code of the host. Echoes what clients send, and sends the time to all. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "kraken_ws.h"

static void handle(kraken_ws_server *server, kraken_ws_event *event) {
  switch (kraken_ws_event_get_kind(event)) {
    case KRAKEN_WS_EVENT_KIND_CONNECT:
      if (kraken_ws_event_auth(event).len > 0) kraken_ws_event_accept(event);
      else kraken_ws_event_reject(event, kraken_ws_cstr("{\"message\":\"AUTH_FAILED\"}"));
      break;
    case KRAKEN_WS_EVENT_KIND_EVENT:
      if (kraken_ws_event_wants_ack(event)) kraken_ws_event_ack(event, kraken_ws_event_arg(event, 0), NULL, 0, 0);
      else
        kraken_ws_server_socket_emit(server, kraken_ws_event_socket(event), kraken_ws_event_name(event),
                              kraken_ws_event_arg(event, 0), NULL, 0, 0);
      break;
    default:
      break;
  }
}

static int watch(int loop, int fd) {
  struct epoll_event interest = {.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &interest);
}

int main(int argc, char **argv) {
  struct itimerspec second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server;
  uint16_t port = argc > 1 ? (uint16_t)atoi(argv[1]) : 3000;
  int loop = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), signals, events;
  unsigned long seconds = 0;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signals = signalfd(-1, &set, SFD_CLOEXEC);

  kraken_ws_options_decide_connects(options, true);
  if (kraken_ws_server_new(options, NULL, &server) ||
      kraken_ws_server_listen(server, kraken_ws_cstr("127.0.0.1"), port, &port) || kraken_ws_server_event_fd(server, &events) ||
      watch(loop, events) || watch(loop, timer) || watch(loop, signals) || timerfd_settime(timer, 0, &second, NULL)) {
    char error[256];
    kraken_ws_last_error(error, sizeof error);
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  kraken_ws_options_free(options);
  printf("epoll: http://127.0.0.1:%u\n", port);
  fflush(stdout);

  for (;;) {
    struct epoll_event ready[8];
    int n = epoll_wait(loop, ready, 8, -1);
    if (n < 0 && errno != EINTR) return 1;
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd == events) {
        kraken_ws_event *batch[64];
        size_t count;
        kraken_ws_server_poll(server, batch, 64, 0, &count);
        for (size_t k = 0; k < count; k++) {
          handle(server, batch[k]);
          kraken_ws_event_free(batch[k]);
        }
      } else if (ready[i].data.fd == timer) {
        uint64_t times;
        char text[32];
        if (read(timer, &times, sizeof times) == sizeof times) seconds += (unsigned long)times;
        snprintf(text, sizeof text, "%lu", seconds);
        kraken_ws_server_send_to_all(server, kraken_ws_cstr("time"), kraken_ws_cstr(text), NULL, 0);
      } else {
        kraken_ws_server_close(server, 5000);
        return kraken_ws_server_free(server);
      }
    }
  }
}
