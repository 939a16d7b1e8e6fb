/* Wrong arguments get a status: null, empty, no UTF-8, too long, freed, closed, forked. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { OK = KRAKEN_WS_OK, ARGUMENT = KRAKEN_WS_ERROR_ARGUMENT, PAYLOAD = KRAKEN_WS_ERROR_PAYLOAD };

static kraken_ws_server *new_server(void) {
  kraken_ws_server *server = NULL;
  kraken_ws_options *options = kraken_ws_options_new();
  IS(OK, kraken_ws_options_set_json(options, S("{\"shards\":1}")));
  IS(OK, kraken_ws_server_new(options, NULL, &server));
  kraken_ws_options_free(options);
  CHECK(server != NULL);
  return server;
}

static void errors(void) {
  char small[8];
  CHECK(strcmp(kraken_ws_status_name(0), "OK") == 0);
  CHECK(strcmp(kraken_ws_status_name(KRAKEN_WS_ERROR_QUEUE_FULL), "ERR_KRAKEN_WS_QUEUE_FULL") == 0);
  CHECK(strcmp(kraken_ws_status_name(-5), "ERR_KRAKEN_WS_UNKNOWN") == 0);
  IS(ARGUMENT, kraken_ws_server_close(NULL, 0));
  CHECK(kraken_ws_last_error(NULL, 0) == strlen("server: a null pointer"));
  CHECK(kraken_ws_last_error(NULL, 100) == strlen("server: a null pointer"));
  CHECK(kraken_ws_last_error(small, sizeof small) > sizeof small && strcmp(small, "server:") == 0);
}

static void options(void) {
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server = (kraken_ws_server *)options;
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_json(options, S("{\"pingTimeout\":\"fast\"}")));
  CHECK(says("pingTimeout: expected a number of milliseconds from 1 to 86400000, got \"fast\""));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_json(options, S("[]")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set(options, S("pingtimeout"), S("5")));
  CHECK(says("did you mean pingTimeout"));
  IS(OK, kraken_ws_options_set_json(options, S("{\"strictOptions\":false,\"maxPayload\":5}")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_json(options, S("{\"strictOptions\":true}")));
  CHECK(says("maxPayload: expected a known option"));
  IS(OK, kraken_ws_options_set_json(options, S("{\"maxPayload\":null}")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_json(options, S("{\"hooks\":{\"cors\":true}}")));
  CHECK(says("hooks.cors: expected one of allowRequest, headers, engine, http, rooms, sessions in C"));
  IS(OK, kraken_ws_options_set_json(options, S("{\"hooks\":{\"allowRequest\":true}}")));
  IS(OK, kraken_ws_options_set_json(options, S("{\"hooks\":{\"http\":true,\"rooms\":false}}")));
  IS(PAYLOAD, kraken_ws_options_set_json(options, S("{")));
  IS(PAYLOAD, kraken_ws_options_set(options, S("path"), S("/chat")));
  IS(OK, kraken_ws_options_set(options, S("path"), S("\"/chat\"")));
  IS(OK, kraken_ws_options_set_text(options, S("path"), S("/chat")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_text(options, S("path"), S("/ch at")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_text(options, S("path"), S("/ch\nat")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_text(options, S("path"), S("/chat\x7f")));
  IS(PAYLOAD, kraken_ws_options_set(options, S("pingTimeout"), S("Infinity")));
  IS(PAYLOAD, kraken_ws_options_set(options, S("pingTimeout"), S("NaN")));
  IS(PAYLOAD, kraken_ws_options_set(options, S("pingTimeout"), S("1e999")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_text(options, S("path.x"), S("1")));
  IS(ARGUMENT, kraken_ws_options_set_json(NULL, S("{}")));
  IS(ARGUMENT, kraken_ws_options_decide_connects(NULL, true));
  /* A handle of another kind. */
  IS(ARGUMENT, kraken_ws_server_listen(server, S("127.0.0.1"), 0, NULL));
  /* Half a certificate is noticed when the server is made. */
  IS(OK, kraken_ws_options_set_text(options, S("tls.cert"), S("no certificate")));
  IS(OK, kraken_ws_options_set(options, S("pingInterval"), S("1000")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_options_set_text(options, S("nothing.x"), S("1")));
  server = (kraken_ws_server *)&server;
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_server_new(options, NULL, &server));
  CHECK(server == NULL);
  IS(OK, kraken_ws_options_set_text(options, S("tls.key"), S("no key")));
  IS(KRAKEN_WS_ERROR_TLS, kraken_ws_server_new(options, NULL, &server));
  kraken_ws_options_free(options);
  kraken_ws_options_free(NULL);
}

static int dropped;
static void count_drop(void *userdata) { *(int *)userdata += 1; }

static void callbacks(void) {
  struct {
    kraken_ws_callbacks known;
    void *more[2];
  } newer;
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks, .userdata = &dropped, .drop = count_drop};
  kraken_ws_options *wrong = kraken_ws_options_new();
  kraken_ws_server *server;
  kraken_ws_event *event;
  size_t count = 7;
  int32_t fd;

  memset(&newer, 0, sizeof newer);
  newer.known = callbacks;
  newer.known.size = sizeof newer;
  IS(OK, kraken_ws_server_new(NULL, &newer.known, &server));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_server_poll(server, &event, 1, 0, &count));
  CHECK(count == 0);
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_server_event_fd(server, &fd));
  IS(OK, kraken_ws_server_close(server, 5000));
  CHECK(dropped == 1); /* closed: there are no more callbacks, and userdata has been dropped */
  IS(OK, kraken_ws_server_free(server));
  newer.more[1] = &newer;
  IS(KRAKEN_WS_ERROR_UNSUPPORTED, kraken_ws_server_new(NULL, &newer.known, &server));
  callbacks.size = 0;
  IS(ARGUMENT, kraken_ws_server_new(NULL, &callbacks, &server));
  IS(ARGUMENT, kraken_ws_server_new(NULL, NULL, NULL));
  CHECK(dropped == 1);
  /* An older host's table ends early. */
  callbacks.size = offsetof(kraken_ws_callbacks, on_event);
  IS(OK, kraken_ws_server_new(NULL, &callbacks, &server));
  IS(OK, kraken_ws_server_free(server));
  CHECK(dropped == 2);
  /* A server that could not be made has dropped its userdata. */
  IS(OK, kraken_ws_options_set_text(wrong, S("tls.cert"), S("x")));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_server_new(wrong, &callbacks, &server));
  CHECK(dropped == 3);
  kraken_ws_options_free(wrong);
}

static void text_and_payloads(void) {
  kraken_ws_server *server = new_server();
  const char latin[] = {'c', 'a', 'f', (char)0xe9};
  kraken_ws_str broken = {latin, sizeof latin}, null_text = {NULL, 3}, endless = {"x", (size_t)-1}, none = {NULL, 0};
  kraken_ws_bytes half = {(const uint8_t *)"x", (size_t)-2}, buffers[2] = {{NULL, 0}, {NULL, 0}};
  kraken_ws_target target = {.size = sizeof target};
  char *big = malloc(4 << 20);
  kraken_ws_str long_text = {big, 4 << 20};
  uint64_t id;
  bool has = true;
  size_t count = 9;
  kraken_ws_socket_list *list;

  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_send_to_room(S("r"), S("e"), S("1")));
  CHECK(says("kraken_ws_set_server"));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_send_to_all(S("e"), S("1")));
  IS(OK, kraken_ws_set_server(server));
  IS(OK, kraken_ws_send_to_room(S("r"), S("e"), S("{\"a\":[1,2.5e3,null,\"\\u00e9\"]}")));
  IS(OK, kraken_ws_send_to_room(none, none, none));
  IS(OK, kraken_ws_send_to_all(S("e"), none));
  IS(OK, kraken_ws_server_send_to_all(server, S("e"), S("{\"_placeholder\":true,\"num\":1}"), buffers, 2));
  IS(OK, kraken_ws_server_send_to_room(server, S("r"), S("e"), S("{\"_placeholder\":true,\"num\":0}"), buffers, 2));
  IS(PAYLOAD, kraken_ws_server_send_to_room(server, S("r"), S("e"), S("{\"_placeholder\":true,\"num\":2}"), buffers, 2));
  IS(ARGUMENT, kraken_ws_server_send_to_room(server, S("r"), S("e"), S("1"), NULL, 2));
  IS(ARGUMENT, kraken_ws_server_send_to_room(server, S("r"), S("e"), S("1"), &half, 1));
  IS(ARGUMENT, kraken_ws_send_to_room(broken, S("e"), S("1")));
  CHECK(says("room: expected UTF-8, byte 3 is not"));
  IS(ARGUMENT, kraken_ws_send_to_room(S("r"), null_text, S("1")));
  IS(ARGUMENT, kraken_ws_send_to_room(S("r"), S("e"), endless));
  CHECK(says("payload: length"));
  IS(PAYLOAD, kraken_ws_send_to_room(S("r"), S("e"), S("{'a':1}")));
  IS(PAYLOAD, kraken_ws_send_to_room(S("r"), S("e"), S("1,2")));
  IS(PAYLOAD, kraken_ws_send_to_room(S("r"), S("e"), S("]")));
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_send_to_all(S("disconnect"), S("1")));
  memset(big, '1', 4 << 20);
  IS(OK, kraken_ws_send_to_all(S("e"), long_text)); /* nobody is there; a number of four million digits is JSON */

  target.flags = 1u << 31;
  IS(KRAKEN_WS_ERROR_UNSUPPORTED, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  target.flags = KRAKEN_WS_FLAG_SPREAD;
  IS(PAYLOAD, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  target.flags = KRAKEN_WS_FLAG_VOLATILE | KRAKEN_WS_FLAG_LOCAL | KRAKEN_WS_FLAG_NO_COMPRESS;
  IS(OK, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  target.nsp = S("/nowhere");
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_server_fetch_sockets(server, &target, &list));
  CHECK(list == NULL);
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_server_create_namespace(server, S("/a,b")));
  IS(OK, kraken_ws_server_create_namespace(server, S("nowhere")));
  IS(OK, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  target.nsp = none;
  target.rooms_len = 2;
  IS(ARGUMENT, kraken_ws_server_publish(server, &target, S("e"), S("1"), NULL, 0));
  target.rooms_len = ((size_t)-1) / 8;
  target.rooms = &broken;
  IS(ARGUMENT, kraken_ws_server_sockets_join(server, &target, NULL, 0));
  target.rooms_len = 1;
  IS(ARGUMENT, kraken_ws_server_sockets_leave(server, &target, NULL, 0));
  IS(ARGUMENT, kraken_ws_server_disconnect_sockets(server, &target, true));
  target.size = 1;
  IS(ARGUMENT, kraken_ws_server_publish_with_ack(server, &target, S("e"), S("1"), NULL, 0, 10, &id));
  IS(ARGUMENT, kraken_ws_server_publish_with_ack(server, NULL, S("e"), S("1"), NULL, 0, 10, NULL));
  /* A socket that does not exist: nothing happens, unless its number names a namespace that the server does not have. */
  IS(OK, kraken_ws_server_socket_emit(server, 12345, S("e"), S("1"), NULL, 0, 0));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_server_socket_emit(server, UINT64_MAX, S("e"), S("1"), NULL, 0, 0));
  IS(ARGUMENT, kraken_ws_server_socket_emit_with_ack(server, 12345, S("e"), S("1"), NULL, 0, 0, 10, NULL));
  IS(OK, kraken_ws_server_socket_join(server, UINT64_MAX, &target.nsp, 1));
  IS(OK, kraken_ws_server_socket_leave(server, 0, NULL, 0));
  IS(OK, kraken_ws_server_socket_disconnect(server, 12345, true));
  IS(OK, kraken_ws_server_socket_set_data(server, 12345, S("{}")));
  IS(PAYLOAD, kraken_ws_server_socket_set_data(server, 12345, S("{")));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_server_socket_set_user(server, 12345, big, free)); /* still ours */
  CHECK(kraken_ws_server_socket_user(server, 12345) == NULL);
  CHECK(kraken_ws_server_socket_user(NULL, 12345) == NULL);
  free(big);
  IS(OK, kraken_ws_server_has_room(server, none, S("r"), &has));
  CHECK(!has);
  IS(ARGUMENT, kraken_ws_server_has_room(server, none, S("r"), NULL));
  IS(OK, kraken_ws_server_count_sockets(server, NULL, &count));
  CHECK(count == 0);
  IS(OK, kraken_ws_set_server(NULL));
  IS(OK, kraken_ws_server_free(server));
}

static void events_and_lists_of_nothing(void) {
  kraken_ws_event *none = NULL;
  kraken_ws_options *other = kraken_ws_options_new();
  kraken_ws_socket_info info;
  CHECK(kraken_ws_event_get_kind(NULL) == KRAKEN_WS_EVENT_KIND_NONE);
  CHECK(kraken_ws_event_get_kind((kraken_ws_event *)other) == KRAKEN_WS_EVENT_KIND_NONE);
  CHECK(kraken_ws_event_server(NULL) == NULL && kraken_ws_event_user(NULL) == NULL && kraken_ws_event_socket(NULL) == 0);
  CHECK(kraken_ws_event_socket_id(NULL).len == 0 && kraken_ws_event_namespace(NULL).len == 0);
  CHECK(kraken_ws_event_name(NULL).len == 0 && !kraken_ws_event_is(NULL, "x") && kraken_ws_event_auth(NULL).len == 0);
  CHECK(kraken_ws_event_arg_count(NULL) == 0 && kraken_ws_event_arg(NULL, 0).len == 0);
  CHECK(kraken_ws_event_attachment_count(NULL) == 0 && kraken_ws_event_attachment(NULL, 0).len == 0);
  CHECK(kraken_ws_event_ack_id(NULL) == 0 && !kraken_ws_event_timed_out(NULL) && kraken_ws_event_expected(NULL) == 0);
  CHECK(kraken_ws_event_reason(NULL) == -1 && kraken_ws_event_reason_text(NULL).len == 0);
  CHECK(kraken_ws_event_address(NULL).len == 0 && kraken_ws_event_method(NULL).len == 0);
  CHECK(kraken_ws_event_url(NULL).len == 0 && kraken_ws_event_header(NULL, S("host")).len == 0);
  CHECK(!kraken_ws_event_is_pending(NULL) && !kraken_ws_event_wants_ack(NULL) && kraken_ws_event_retain(NULL) == NULL);
  kraken_ws_event_free(none);
  IS(ARGUMENT, kraken_ws_event_accept(NULL));
  IS(ARGUMENT, kraken_ws_event_reject(NULL, S("{}")));
  IS(ARGUMENT, kraken_ws_event_ack(NULL, S("1"), NULL, 0, 0));
  IS(ARGUMENT, kraken_ws_event_reply(NULL, 200, NULL, 0, kraken_ws_buffer(NULL, 0)));
  IS(ARGUMENT, kraken_ws_event_allow(NULL, NULL, 0));
  IS(ARGUMENT, kraken_ws_event_refuse(NULL, S("no")));
  CHECK(kraken_ws_event_room(NULL).len == 0 && kraken_ws_event_room_change(NULL) == KRAKEN_WS_ROOM_CHANGE_NONE);
  IS(ARGUMENT, kraken_ws_event_replace(NULL, S("1"), 0));
  IS(ARGUMENT, kraken_ws_module_set_filter(NULL, NULL));
  CHECK(kraken_ws_module_server(NULL) == NULL);
  CHECK(kraken_ws_socket_list_len(NULL) == 0 && !kraken_ws_socket_list_get(NULL, 0, &info));
  CHECK(kraken_ws_socket_list_room(NULL, 0, 0).len == 0);
  kraken_ws_socket_list_free(NULL);
  kraken_ws_options_free(other);
}

/* A server without a fleet is a fleet of one; an emitter needs to know where Redis is. */
static void fleets_of_one(void) {
  kraken_ws_server *server = new_server();
  kraken_ws_emitter *emitter = (kraken_ws_emitter *)server;
  kraken_ws_socket_list *sockets;
  kraken_ws_room_list *rooms;
  kraken_ws_event *event;
  kraken_ws_cluster_stats stats = {.size = sizeof stats};
  kraken_ws_str none = {NULL, 0};
  size_t count;
  uint64_t id;
  IS(OK, kraken_ws_server_node_count(server, none, &count));
  CHECK(count == 1);
  IS(ARGUMENT, kraken_ws_server_node_count(server, none, NULL));
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_server_node_count(server, S("/nowhere"), &count));
  IS(OK, kraken_ws_server_fleet_rooms(server, none, &rooms));
  CHECK(kraken_ws_room_list_len(rooms) == 0 && kraken_ws_room_list_missing(rooms) == 0);
  CHECK(kraken_ws_room_list_get(rooms, 0).len == 0);
  CHECK(kraken_ws_room_list_len((kraken_ws_room_list *)server) == 0);
  kraken_ws_room_list_free(rooms);
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_server_fleet_rooms(server, S("/nowhere"), &rooms));
  CHECK(rooms == NULL && kraken_ws_room_list_len(NULL) == 0 && kraken_ws_room_list_missing(NULL) == 0);
  kraken_ws_room_list_free(NULL);
  IS(OK, kraken_ws_server_fleet_sockets(server, NULL, 0, &sockets));
  CHECK(kraken_ws_socket_list_len(sockets) == 0 && kraken_ws_socket_list_missing(sockets) == 0);
  CHECK(kraken_ws_socket_list_missing(NULL) == 0 && kraken_ws_socket_list_missing_node(NULL, 0).len == 0);
  kraken_ws_socket_list_free(sockets);
  IS(ARGUMENT, kraken_ws_server_fleet_sockets(server, NULL, 0, NULL));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_server_cluster_stats(server, &stats));
  CHECK(says("in no fleet"));
  stats.size = 1;
  IS(ARGUMENT, kraken_ws_server_cluster_stats(server, &stats));
  IS(ARGUMENT, kraken_ws_server_cluster_stats(server, NULL));
  IS(OK, kraken_ws_server_side_emit(server, none, S("hello"), S("1"), NULL, 0, 0));
  IS(PAYLOAD, kraken_ws_server_side_emit(server, none, S("hello"), S("{"), NULL, 0, 0));
  IS(PAYLOAD, kraken_ws_server_side_emit_with_ack(server, none, S("hello"), S("{"), NULL, 0, 0, 10, &id));
  IS(ARGUMENT, kraken_ws_server_side_emit_with_ack(server, none, S("hello"), S("1"), NULL, 0, 0, 10, NULL));
  IS(OK, kraken_ws_server_side_emit_with_ack(server, none, S("hello"), S("1"), NULL, 0, 0, 10, &id));
  IS(OK, kraken_ws_server_poll(server, &event, 1, -1, &count));
  CHECK(count == 1 && kraken_ws_event_get_kind(event) == KRAKEN_WS_EVENT_KIND_SERVER_SIDE_ACK);
  CHECK(kraken_ws_event_ack_id(event) == id && kraken_ws_event_arg_count(event) == 0 && !kraken_ws_event_timed_out(event));
  kraken_ws_event_free(event);
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_server_join_cluster(server, S("{\"redis\":5}")));
  CHECK(says("cluster.redis: expected"));
  IS(PAYLOAD, kraken_ws_server_join_cluster(server, S("{")));
  IS(ARGUMENT, kraken_ws_emitter_flush(emitter, 1));
  CHECK(says("not of kraken_ws_emitter_new"));
  IS(ARGUMENT, kraken_ws_emitter_free(emitter));
  IS(KRAKEN_WS_ERROR_OPTION, kraken_ws_emitter_new(S("{\"redis\":\"nowhere\"}"), &emitter));
  CHECK(emitter == NULL);
  IS(PAYLOAD, kraken_ws_emitter_new(S("{"), &emitter));
  IS(ARGUMENT, kraken_ws_emitter_new(S("{}"), NULL));
  IS(KRAKEN_WS_ERROR_REDIS, kraken_ws_emitter_new(S("{\"redis\":\"redis://127.0.0.1:1\",\"waitForRedis\":true,\"redisTimeout\":200}"), &emitter));
  CHECK(emitter == NULL);
  /* Without Redis, what is sent waits, and a flush times out. */
  IS(OK, kraken_ws_emitter_new(S("{\"redis\":\"redis://127.0.0.1:1\",\"redisTimeout\":200}"), &emitter));
  IS(OK, kraken_ws_emitter_publish(emitter, NULL, S("e"), S("1"), NULL, 0));
  IS(PAYLOAD, kraken_ws_emitter_publish(emitter, NULL, S("e"), S("{"), NULL, 0));
  IS(KRAKEN_WS_ERROR_NAME, kraken_ws_emitter_publish(emitter, NULL, S("disconnect"), S("1"), NULL, 0));
  IS(KRAKEN_WS_ERROR_TIMEOUT, kraken_ws_emitter_flush(emitter, 50));
  stats.size = sizeof stats;
  IS(OK, kraken_ws_emitter_stats(emitter, &stats));
  CHECK(stats.up == 0);
  IS(OK, kraken_ws_emitter_free(emitter));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_emitter_stats(emitter, &stats));
  IS(OK, kraken_ws_emitter_free(NULL));
  IS(ARGUMENT, kraken_ws_emitter_publish(NULL, NULL, S("e"), S("1"), NULL, 0));
  CHECK(kraken_ws_event_cluster_change(NULL) == KRAKEN_WS_CLUSTER_CHANGE_NONE && kraken_ws_event_lost(NULL) == 0);
  CHECK(kraken_ws_event_missing(NULL) == 0 && kraken_ws_event_missing_node(NULL, 0).len == 0);
  IS(OK, kraken_ws_server_free(server));
}

static void listening_and_adopting(void) {
  kraken_ws_server *server = new_server(), *other = new_server();
  uint16_t port, again;
  int pair[2], file = open("/dev/null", O_RDONLY);
  kraken_ws_bytes nothing = {NULL, 0};
  IS(OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, &port));
  CHECK(port != 0);
  IS(KRAKEN_WS_ERROR_LISTEN, kraken_ws_server_listen(other, S("127.0.0.1"), port, &again));
  IS(KRAKEN_WS_ERROR_LISTEN, kraken_ws_server_listen(other, S("127.0.0.1.9"), 0, &again));
  IS(KRAKEN_WS_ERROR_LISTEN, kraken_ws_server_listen_unix(other, S("/no/such/folder/x.sock")));
  IS(OK, kraken_ws_server_listen(other, S(""), 0, NULL));
  IS(OK, kraken_ws_server_stop_listening(other));
  IS(KRAKEN_WS_ERROR_TLS, kraken_ws_server_reload_tls(server, nothing, nothing));
  IS(KRAKEN_WS_ERROR_ADOPT, kraken_ws_server_adopt(server, -1, nothing, nothing));
  IS(KRAKEN_WS_ERROR_ADOPT, kraken_ws_server_adopt(server, 9999, nothing, nothing));
  IS(KRAKEN_WS_ERROR_ADOPT, kraken_ws_server_adopt(server, file, nothing, nothing));
  CHECK(fcntl(file, F_GETFD) >= 0); /* still ours */
  close(file);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  IS(OK, kraken_ws_server_adopt(server, pair[0], nothing, nothing));
  CHECK(fcntl(pair[0], F_GETFD) < 0); /* the library's */
  close(pair[1]);
  IS(OK, kraken_ws_server_free(other));
  IS(OK, kraken_ws_server_free(server));
}

static void after_close_and_free(void) {
  kraken_ws_server *server = new_server();
  kraken_ws_event *events[4];
  kraken_ws_stats stats = {.size = sizeof stats};
  struct {
    kraken_ws_stats known;
    uint64_t more;
  } newer = {.known = {.size = sizeof newer}, .more = 77};
  size_t count, needed;
  char json[8];
  bool has;
  IS(OK, kraken_ws_server_stats(server, &stats));
  CHECK(stats.connections == 0 && stats.uptime_ms < 60000);
  IS(OK, kraken_ws_server_stats(server, &newer.known));
  CHECK(newer.more == 77);
  stats.size = 3;
  IS(ARGUMENT, kraken_ws_server_stats(server, &stats));
  IS(ARGUMENT, kraken_ws_server_stats(server, NULL));
  IS(OK, kraken_ws_server_modules(server, json, sizeof json, &needed));
  CHECK(needed == 2 && strcmp(json, "[]") == 0);
  IS(ARGUMENT, kraken_ws_server_modules(server, json, 2, &needed));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_load_module(server, S("/no/such/module.so"), 0, NULL));
  CHECK(says("module /no/such/module.so: "));
  IS(KRAKEN_WS_ERROR_MODULE, kraken_ws_server_unload_module(server, S("nobody")));
  IS(ARGUMENT, kraken_ws_server_load_module(server, S("x"), 2, NULL));
  IS(ARGUMENT, kraken_ws_server_poll(server, events, 0, 0, &count));
  IS(ARGUMENT, kraken_ws_server_poll(server, NULL, 4, 0, &count));
  IS(ARGUMENT, kraken_ws_server_poll(server, events, 4, 0, NULL));
  IS(OK, kraken_ws_server_poll(server, events, 4, 10, &count));
  CHECK(count == 0);

  IS(OK, kraken_ws_set_server(server));
  IS(OK, kraken_ws_server_close(server, 5000));
  IS(OK, kraken_ws_server_close(server, 0));
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_send_to_room(S("r"), S("e"), S("1")));
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_server_listen(server, S("127.0.0.1"), 0, NULL));
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_server_socket_join(server, 1, NULL, 0));
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_server_has_room(server, S(""), S("r"), &has));
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_server_create_namespace(server, S("/x")));
  stats.size = sizeof stats;
  IS(OK, kraken_ws_server_stats(server, &stats));
  IS(OK, kraken_ws_server_poll(server, events, 4, -1, &count));
  CHECK(count == 1 && kraken_ws_event_get_kind(events[0]) == KRAKEN_WS_EVENT_KIND_CLOSED);
  IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_server_poll(server, events + 1, 3, -1, &count));

  IS(OK, kraken_ws_server_free(server));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_server_free(server));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_server_stats(server, &stats));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_send_to_all(S("e"), S("1")));
  IS(KRAKEN_WS_ERROR_GONE, kraken_ws_set_server(server));
  IS(OK, kraken_ws_server_free(NULL));
  CHECK(kraken_ws_event_server(events[0]) == server); /* an event outlives its server */
  kraken_ws_event_free(events[0]);
  IS(OK, kraken_ws_set_server(NULL));
}

/* The child can't use the parent's server, but can make one of its own. */
static void forked(void) {
  kraken_ws_server *server = new_server(), *own;
  int status;
  pid_t child;
  IS(OK, kraken_ws_set_server(server));
  IS(OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, NULL));
  fflush(NULL);
  child = fork();
  if (child == 0) {
    IS(KRAKEN_WS_ERROR_FORKED, kraken_ws_send_to_room(S("r"), S("e"), S("1")));
    IS(KRAKEN_WS_ERROR_FORKED, kraken_ws_server_close(server, 1000));
    IS(KRAKEN_WS_ERROR_FORKED, kraken_ws_server_free(server));
    own = new_server();
    IS(OK, kraken_ws_set_server(own));
    IS(OK, kraken_ws_send_to_all(S("e"), S("1")));
    IS(OK, kraken_ws_server_free(own));
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  IS(OK, kraken_ws_send_to_all(S("e"), S("1")));
  IS(OK, kraken_ws_server_free(server));
  IS(OK, kraken_ws_set_server(NULL));
}

static void table(void) {
  CHECK(kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof(kraken_ws_api)) != NULL);
  CHECK(kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof(kraken_ws_api) - sizeof(void *)) != NULL);
  CHECK(kraken_ws_get_api(KRAKEN_WS_ABI_VERSION + 1, sizeof(kraken_ws_api)) == NULL);
  CHECK(says("version 2"));
  CHECK(kraken_ws_get_api(KRAKEN_WS_ABI_VERSION, sizeof(kraken_ws_api) + sizeof(void *)) == NULL);
  CHECK(says("table of"));
}

int main(void) {
  errors();
  options();
  callbacks();
  text_and_payloads();
  events_and_lists_of_nothing();
  fleets_of_one();
  listening_and_adopting();
  after_close_and_free();
  if (!getenv("NO_FORK")) forked(); /* valgrind reports the memory of the child as leaks */
  table();
  return 0;
}
