/* A program without clients that publishes to a fleet: fleet_emitter CLUSTER ROOM. It puts the members of the room into
 * "also", sends them a text and bytes, emits to the hosts, disconnects the members of "leaving", and ends when Redis has
 * confirmed all of it. */
#include "../check.h"

int main(int argc, char **argv) {
  kraken_ws_emitter *emitter;
  kraken_ws_cluster_stats stats = {.size = sizeof stats};
  kraken_ws_str room, also = S("also"), leaving = S("leaving");
  kraken_ws_target target = {.size = sizeof target, .rooms = &room, .rooms_len = 1};
  kraken_ws_bytes bytes = kraken_ws_buffer("\0\1\2", 3);
  CHECK(argc == 3);
  room = S(argv[2]);
  IS(KRAKEN_WS_OK, kraken_ws_emitter_new(S(argv[1]), &emitter));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_sockets_join(emitter, &target, &also, 1));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_publish(emitter, &target, S("emitted"), S("{\"text\":\"\xc3\x9f\"}"), NULL, 0));
  target.rooms = &also;
  IS(KRAKEN_WS_OK, kraken_ws_emitter_publish(emitter, &target, S("emitted"), S("{\"_placeholder\":true,\"num\":0}"), &bytes, 1));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_sockets_leave(emitter, &target, &also, 1));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_publish(emitter, &target, S("emitted"), S("\"to nobody\""), NULL, 0));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_server_side_emit(emitter, S("/"), S("hello"), S("[\"from\",\"an emitter\"]"), NULL, 0, KRAKEN_WS_FLAG_SPREAD));
  target.rooms = &leaving;
  IS(KRAKEN_WS_OK, kraken_ws_emitter_disconnect_sockets(emitter, &target, true));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_flush(emitter, 5000));
  IS(KRAKEN_WS_OK, kraken_ws_emitter_stats(emitter, &stats));
  CHECK(stats.up == 1 && stats.published >= 7 && stats.lost == 0 && stats.queued_bytes == 0);
  IS(KRAKEN_WS_OK, kraken_ws_emitter_free(emitter));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_emitter_free(emitter));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_emitter_flush(emitter, 1));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_emitter_publish(emitter, NULL, S("e"), S("1"), NULL, 0));
  return 0;
}
