/* The three calls that an application needs most: set_server, send_to_room, send_to_all.
 * Puts clients into the room "channel:42" and sends them a number each second. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kraken_ws.h"

static int32_t on_connect(void *userdata, const kraken_ws_event *event) {
  kraken_ws_str room = kraken_ws_cstr(KRAKEN_WS_ROOM_CHANNEL "42");
  (void)userdata;
  kraken_ws_server_socket_join(kraken_ws_event_server(event), kraken_ws_event_socket(event), &room, 1);
  return KRAKEN_WS_DECISION_ACCEPT;
}

int main(int argc, char **argv) {
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks, .on_connect = on_connect};
  kraken_ws_server *server;
  uint16_t port = argc > 1 ? (uint16_t)atoi(argv[1]) : 3000;
  char error[256], message[64];

  if (kraken_ws_server_new(NULL, &callbacks, &server) ||
      kraken_ws_server_listen(server, kraken_ws_cstr("127.0.0.1"), port, &port)) {
    kraken_ws_last_error(error, sizeof error);
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  kraken_ws_set_server(server);
  printf("broadcast: http://127.0.0.1:%u\n", port);
  fflush(stdout);

  for (int i = 1; i <= 60; i++, sleep(1)) {
    snprintf(message, sizeof message, "{\"content\":\"message %d\"}", i);
    kraken_ws_send_to_room(kraken_ws_cstr(KRAKEN_WS_ROOM_CHANNEL "42"), kraken_ws_cstr(KRAKEN_WS_SERVER_EVENT_NEW_MESSAGE),
                           kraken_ws_cstr(message));
    kraken_ws_send_to_all(kraken_ws_cstr(KRAKEN_WS_SERVER_EVENT_NOTIFICATION), kraken_ws_cstr(message));
  }
  return kraken_ws_server_free(server);
}
