/* A program with two static libraries that are written in Rust: this one and second.rs. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include "../check.h"

size_t second_catches(void);

static int frames;
static char last_frame[256];

/* Runs on a thread of the library. */
static void on_http(void *userdata, const kraken_ws_event *event) {
  void *stack[256];
  Dl_info about;
  (void)userdata;
  CHECK(second_catches() == 1); /* the first of this thread */
  CHECK(second_catches() == 2);
  /* Unwinding passes our frames up to the start of the thread. */
  frames = backtrace(stack, 256);
  if (frames > 0 && dladdr(stack[frames - 1], &about) && about.dli_fname)
    snprintf(last_frame, sizeof last_frame, "%s", about.dli_fname);
  IS(KRAKEN_WS_OK, kraken_ws_event_reply(event, 200, NULL, 0, kraken_ws_buffer("hello", 5)));
}

static void request(uint16_t port) {
  static const char text[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  char answer[1024] = "";
  size_t len = 0;
  ssize_t got;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(write(fd, text, sizeof text - 1) == (ssize_t)(sizeof text - 1));
  while (len < sizeof answer - 1 && (got = read(fd, answer + len, sizeof answer - 1 - len)) > 0) len += (size_t)got;
  close(fd);
  CHECK(strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(answer, "hello"));
}

int main(void) {
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks, .on_http = on_http};
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server;
  uint16_t port = 0;
  CHECK(second_catches() == 1);
  IS(KRAKEN_WS_OK, kraken_ws_server_new(options, &callbacks, &server));
  IS(KRAKEN_WS_OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, &port));
  request(port);
  CHECK(second_catches() == 2);
  IS(KRAKEN_WS_OK, kraken_ws_server_close(server, 1000));
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  kraken_ws_options_free(options);
  if (frames < 5 || !strstr(last_frame, "libc")) {
    fprintf(stderr, "the stack ends after %d frames, in \"%s\"\n", frames, last_frame);
    return 1;
  }
  return 0;
}
