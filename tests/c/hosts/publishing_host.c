/* A host that publishes without a pause, with SIGPIPE as the system has it: its clients in tests/c/leavers.test.mjs leave.
 *
 *   publishing_host tcp|unix|adopt-tcp|adopt-unix PATH OPTIONS
 *
 * It listens on a free port or on PATH; with adopt-... it accepts there itself. OPTIONS is JSON. Prints its port, and ends
 * with 0 at the end of stdin only. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../check.h"

static kraken_ws_server *server;

/* Accepts, reads the head of the request, and hands the connection to the server. */
static void *accept_them(void *listener) {
  int from = *(int *)listener, fd;
  while ((fd = accept(from, NULL, NULL)) >= 0) {
    char head[4096];
    size_t len = 0;
    ssize_t got;
    while ((got = read(fd, head + len, sizeof head - len)) > 0) {
      len += (size_t)got;
      if (len >= 4 && !memcmp(head + len - 4, "\r\n\r\n", 4)) break;
    }
    kraken_ws_bytes request = {(const uint8_t *)head, len}, none = {NULL, 0};
    /* The socket of a client that is gone is not connected any more. */
    if (got <= 0 || kraken_ws_server_adopt(server, fd, request, none)) close(fd);
  }
  return NULL;
}

static int own_listener(const char *kind, const char *path, uint16_t *port) {
  int fd;
  if (!strcmp(kind, "adopt-unix")) {
    struct sockaddr_un unix_ = {.sun_family = AF_UNIX};
    snprintf(unix_.sun_path, sizeof unix_.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(!bind(fd, (struct sockaddr *)&unix_, sizeof unix_));
  } else {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!bind(fd, (struct sockaddr *)&in, sizeof in) && !getsockname(fd, (struct sockaddr *)&in, &len));
    *port = ntohs(in.sin_port);
  }
  CHECK(!listen(fd, 100));
  return fd;
}

/* A library must change neither what a signal does nor which signals are blocked. */
static void as_the_system_has_it(void) {
  struct sigaction action;
  sigset_t blocked;
  CHECK(!sigaction(SIGPIPE, NULL, &action) && action.sa_handler == SIG_DFL);
  CHECK(!pthread_sigmask(SIG_BLOCK, NULL, &blocked) && !sigismember(&blocked, SIGPIPE));
}

int main(int argc, char **argv) {
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks};
  kraken_ws_options *options = kraken_ws_options_new();
  struct pollfd in = {.fd = 0, .events = POLLIN};
  char payload[2003];
  uint16_t port = 0;
  pthread_t thread;
  int listener;
  CHECK(argc == 4);
  as_the_system_has_it();
  IS(KRAKEN_WS_OK, kraken_ws_options_set_json(options, S(argv[3])));
  IS(KRAKEN_WS_OK, kraken_ws_server_new(options, &callbacks, &server));
  kraken_ws_options_free(options);
  if (!strncmp(argv[1], "adopt", 5)) {
    listener = own_listener(argv[1], argv[2], &port);
    CHECK(!pthread_create(&thread, NULL, accept_them, &listener));
  } else if (!strcmp(argv[1], "unix")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_listen_unix(server, S(argv[2])));
  } else {
    IS(KRAKEN_WS_OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, &port));
  }
  printf("port %u\n", port);
  fflush(stdout);

  memset(payload, 'x', sizeof payload - 1);
  payload[0] = payload[sizeof payload - 2] = '"';
  payload[sizeof payload - 1] = 0;
  while (poll(&in, 1, 0) == 0) {
    for (int i = 0; i < 5; i++) kraken_ws_server_publish(server, NULL, S("e"), S(payload), NULL, 0);
    usleep(300);
  }
  as_the_system_has_it();
  if (!strncmp(argv[1], "adopt", 5)) {
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
  }
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  return 0;
}
