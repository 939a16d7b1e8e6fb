/* A host that is a node of a fleet and that its clients drive by events: tests/c/fleet.test.mjs is the other side.
 *
 *   fleet_host callbacks|poll OPTIONS [CLUSTER]
 *
 * OPTIONS is JSON; with CLUSTER, JSON of the option `cluster`, it joins the fleet only then. Prints its port, ends at the
 * end of stdin. */
#include <pthread.h>
#include <unistd.h>

#include "../../../ffi/examples/json.h"
#include "../check.h"

/* The changes of the connection to the fleet, "up,down,up" for instance. Only one thread uses it. */
static char changes[256];

static void answer(const kraken_ws_event *event, const char *json) {
  IS(KRAKEN_WS_OK, kraken_ws_event_ack(event, S(json), NULL, 0, 0));
}

/* Appends to JSON text of `size` bytes. */
static void append(char *json, size_t size, const char *format, kraken_ws_str text) {
  size_t len = strlen(json);
  snprintf(json + len, size - len, format, (int)text.len, text.len ? text.ptr : "");
  CHECK(strlen(json) < size - 1);
}

static void list_sockets(const kraken_ws_event *event, const kraken_ws_target *target) {
  kraken_ws_socket_list *list;
  kraken_ws_socket_info info;
  char json[8192] = "{\"sockets\":[", number[64];
  IS(KRAKEN_WS_OK, kraken_ws_server_fleet_sockets(kraken_ws_event_server(event), target, 2000, &list));
  for (size_t i = 0; kraken_ws_socket_list_get(list, i, &info); i++) {
    append(json, sizeof json, i ? ",{\"id\":\"%.*s\"" : "{\"id\":\"%.*s\"", info.id);
    append(json, sizeof json, ",\"address\":\"%.*s\"", info.address);
    append(json, sizeof json, ",\"auth\":%.*s", info.auth.len ? info.auth : S("null"));
    append(json, sizeof json, ",\"data\":%.*s", info.data.len ? info.data : S("null"));
    append(json, sizeof json, ",\"here\":%.*s,\"rooms\":[", S(info.socket ? "true" : "false"));
    for (size_t r = 0; r < info.rooms_len; r++)
      append(json, sizeof json, r ? ",\"%.*s\"" : "\"%.*s\"", kraken_ws_socket_list_room(list, i, r));
    append(json, sizeof json, "]%.*s}", S(""));
  }
  CHECK(kraken_ws_socket_list_missing_node(list, kraken_ws_socket_list_missing(list)).len == 0);
  snprintf(number, sizeof number, "%zu", kraken_ws_socket_list_missing(list));
  append(json, sizeof json, "],\"missing\":%.*s}", S(number));
  kraken_ws_socket_list_free(list);
  answer(event, json);
}

static void list_rooms(const kraken_ws_event *event) {
  kraken_ws_room_list *list;
  char json[4096] = "{\"rooms\":[", missing[64];
  IS(KRAKEN_WS_OK, kraken_ws_server_fleet_rooms(kraken_ws_event_server(event), S(""), &list));
  snprintf(missing, sizeof missing, "],\"missing\":%zu}", kraken_ws_room_list_missing(list));
  for (size_t i = 0; i < kraken_ws_room_list_len(list); i++)
    append(json, sizeof json, i ? ",\"%.*s\"" : "\"%.*s\"", kraken_ws_room_list_get(list, i));
  CHECK(kraken_ws_room_list_get(list, kraken_ws_room_list_len(list)).len == 0);
  append(json, sizeof json, "%.*s", S(missing));
  kraken_ws_room_list_free(list);
  answer(event, json);
}

static void on_event(void *userdata, const kraken_ws_event *event) {
  kraken_ws_server *server = kraken_ws_event_server(event);
  kraken_ws_str first = kraken_ws_event_arg(event, 0), second = kraken_ws_event_arg(event, 1), room, name;
  kraken_ws_bytes buffers[4];
  size_t count = kraken_ws_event_attachment_count(event);
  char plain[128] = "", other[128] = "", text[512];
  kraken_ws_target target = {.size = sizeof target, .rooms = &room, .rooms_len = 1};
  uint64_t id;
  (void)userdata;
  json_plain(first, plain, sizeof plain);
  json_plain(second, other, sizeof other);
  room = S(plain);
  name = S(other);
  CHECK(count <= 4);
  for (size_t i = 0; i < count; i++) buffers[i] = kraken_ws_event_attachment(event, i);

  if (kraken_ws_event_is(event, "join")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_join(server, kraken_ws_event_socket(event), &room, 1));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "publish")) { /* room, payload */
    IS(KRAKEN_WS_OK, kraken_ws_server_publish(server, &target, S("note"), second, buffers, count));
  } else if (kraken_ws_event_is(event, "local")) {
    target.flags = KRAKEN_WS_FLAG_LOCAL;
    IS(KRAKEN_WS_OK, kraken_ws_server_publish(server, &target, S("note"), second, NULL, 0));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "askAll")) { /* room, payload */
    IS(KRAKEN_WS_OK, kraken_ws_server_publish_with_ack(server, &target, S("question"), second, NULL, 0, 2000, &id));
  } else if (kraken_ws_event_is(event, "move")) { /* room, another */
    IS(KRAKEN_WS_OK, kraken_ws_server_sockets_join(server, &target, &name, 1));
    IS(KRAKEN_WS_OK, kraken_ws_server_sockets_leave(server, &target, &room, 1));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "kick")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_disconnect_sockets(server, &target, true));
  } else if (kraken_ws_event_is(event, "data")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_set_data(server, kraken_ws_event_socket(event), first));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "fetch")) {
    list_sockets(event, plain[0] ? &target : NULL);
  } else if (kraken_ws_event_is(event, "rooms")) {
    list_rooms(event);
  } else if (kraken_ws_event_is(event, "count")) {
    size_t nodes;
    IS(KRAKEN_WS_OK, kraken_ws_server_node_count(server, S(""), &nodes));
    snprintf(text, sizeof text, "%zu", nodes);
    answer(event, text);
  } else if (kraken_ws_event_is(event, "tellHosts")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_side_emit(server, S(""), S("hello"), first, buffers, count, 0));
  } else if (kraken_ws_event_is(event, "askHosts")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_side_emit_with_ack(server, S(""), S("hello"), first, buffers, count, 0, 1000, &id));
  } else if (kraken_ws_event_is(event, "stats")) {
    kraken_ws_cluster_stats stats = {.size = sizeof stats};
    IS(KRAKEN_WS_OK, kraken_ws_server_cluster_stats(server, &stats));
    snprintf(text, sizeof text, "{\"up\":%d,\"nodes\":%d,\"published\":%d,\"received\":%d,\"malformed\":%d,\"reconnects\":%d}",
             (int)stats.up, (int)stats.nodes, (int)stats.published, (int)stats.received, (int)stats.malformed,
             (int)stats.reconnects);
    answer(event, text);
  } else if (kraken_ws_event_is(event, "changes")) {
    snprintf(text, sizeof text, "\"%s\"", changes);
    answer(event, text);
  }
}

/* Sends both kinds of answers to all clients of this node. */
static void on_ack(void *userdata, const kraken_ws_event *event) {
  char json[1024], number[256];
  (void)userdata;
  snprintf(json, sizeof json, "{\"kind\":%d,\"expected\":%zu,\"missing\":%zu,\"timedOut\":%s,\"answers\":[",
           (int)kraken_ws_event_get_kind(event), kraken_ws_event_expected(event), kraken_ws_event_missing(event),
           kraken_ws_event_timed_out(event) ? "true" : "false");
  for (size_t i = 0; i < kraken_ws_event_arg_count(event); i++)
    append(json, sizeof json, i ? ",%.*s" : "%.*s", kraken_ws_event_arg(event, i));
  snprintf(number, sizeof number, "],\"attachments\":%zu}", kraken_ws_event_attachment_count(event));
  append(json, sizeof json, "%.*s", S(number));
  CHECK(kraken_ws_event_missing_node(event, kraken_ws_event_missing(event)).len == 0);
  IS(KRAKEN_WS_OK, kraken_ws_server_publish(kraken_ws_event_server(event), &(kraken_ws_target){.size = sizeof(kraken_ws_target), .flags = KRAKEN_WS_FLAG_LOCAL},
                                     S("answered"), S(json), NULL, 0));
}

/* Sends the event of another host to all clients of this node, and acknowledges it. */
static void on_server_side(void *userdata, const kraken_ws_event *event) {
  kraken_ws_target here = {.size = sizeof here, .flags = KRAKEN_WS_FLAG_LOCAL | KRAKEN_WS_FLAG_SPREAD};
  kraken_ws_bytes bytes = kraken_ws_event_attachment(event, 0);
  size_t count = kraken_ws_event_attachment_count(event);
  char json[1024] = "[";
  (void)userdata;
  append(json, sizeof json, "\"%.*s\"", kraken_ws_event_name(event));
  for (size_t i = 0; i < kraken_ws_event_arg_count(event); i++) append(json, sizeof json, ",%.*s", kraken_ws_event_arg(event, i));
  append(json, sizeof json, "%.*s", S("]"));
  CHECK(kraken_ws_event_socket(event) == 0 && kraken_ws_event_namespace(event).len == 1);
  IS(KRAKEN_WS_OK, kraken_ws_server_publish(kraken_ws_event_server(event), &here, S("heard"), S(json), &bytes, count));
  if (kraken_ws_event_is(event, "silence")) return;
  if (kraken_ws_event_wants_ack(event)) IS(KRAKEN_WS_OK, kraken_ws_event_ack(event, S("{\"from\":\"C\"}"), NULL, 0, 0));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_ack(event, S("1"), NULL, 0, 0));
}

static void on_cluster(void *userdata, const kraken_ws_event *event) {
  static const char *const names[] = {"", "up", "down", "lost"};
  kraken_ws_cluster_change change = kraken_ws_event_cluster_change(event);
  (void)userdata;
  CHECK(change != KRAKEN_WS_CLUSTER_CHANGE_NONE);
  CHECK((kraken_ws_event_reason_text(event).len > 0) == (change == KRAKEN_WS_CLUSTER_CHANGE_DOWN));
  CHECK((kraken_ws_event_lost(event) > 0) == (change == KRAKEN_WS_CLUSTER_CHANGE_LOST));
  append(changes, sizeof changes, changes[0] ? ",%.*s" : "%.*s", S(names[change]));
}

/* Tells all clients of this node whose session has ended. */
static void on_session_end(void *userdata, const kraken_ws_event *event) {
  kraken_ws_target here = {.size = sizeof here, .flags = KRAKEN_WS_FLAG_LOCAL};
  char json[256] = "\"";
  (void)userdata;
  CHECK(kraken_ws_event_socket(event) != 0 && kraken_ws_event_namespace(event).len == 1);
  append(json, sizeof json, "%.*s", kraken_ws_event_socket_id(event));
  append(json, sizeof json, "%.*s", S("\""));
  IS(KRAKEN_WS_OK, kraken_ws_server_publish(kraken_ws_event_server(event), &here, S("ended"), S(json), NULL, 0));
}

/* The events of a polling host go to the same functions. */
static void *poll_events(void *server) {
  kraken_ws_event *events[16];
  size_t count;
  while (kraken_ws_server_poll(server, events, 16, -1, &count) == KRAKEN_WS_OK) {
    for (size_t i = 0; i < count; i++) {
      switch (kraken_ws_event_get_kind(events[i])) {
        case KRAKEN_WS_EVENT_KIND_EVENT: on_event(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_BROADCAST_ACK:
        case KRAKEN_WS_EVENT_KIND_SERVER_SIDE_ACK: on_ack(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_SERVER_SIDE: on_server_side(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_CLUSTER: on_cluster(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_SESSION_END: on_session_end(NULL, events[i]); break;
        default: break;
      }
      kraken_ws_event_free(events[i]);
    }
  }
  CHECK(says("the server has ended"));
  return NULL;
}

int main(int argc, char **argv) {
  bool polling = argc > 1 && strcmp(argv[1], "poll") == 0;
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks,
                                   .on_event = on_event,
                                   .on_ack = on_ack,
                                   .on_server_side = on_server_side,
                                   .on_cluster = on_cluster,
                                   .on_session_end = on_session_end};
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server;
  pthread_t poller;
  uint16_t port;
  char byte;
  CHECK(argc > 2);
  IS(KRAKEN_WS_OK, kraken_ws_options_set_json(options, S(argv[2])));
  IS(KRAKEN_WS_OK, kraken_ws_server_new(options, polling ? NULL : &callbacks, &server));
  kraken_ws_options_free(options);
  if (polling) CHECK(pthread_create(&poller, NULL, poll_events, server) == 0);
  if (argc > 3) {
    IS(KRAKEN_WS_OK, kraken_ws_server_join_cluster(server, S(argv[3])));
    IS(KRAKEN_WS_ERROR_STATE, kraken_ws_server_join_cluster(server, S(argv[3])));
  }
  IS(KRAKEN_WS_OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, &port));
  printf("port %u\n", port);
  fflush(stdout);
  while (read(0, &byte, 1) > 0) {
  }
  IS(KRAKEN_WS_OK, kraken_ws_server_close(server, 10000));
  if (polling) pthread_join(poller, NULL);
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  return 0;
}
