/* A host that its clients drive by events: tests/c/support/driven.mjs is the other side. With callbacks, or polling.
 *
 *   driven_host callbacks|poll [MODULE [ARGUMENT...]]
 *
 * Prints its port, ends at the end of stdin, and then prints how many pointers of sockets the library has dropped. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../../ffi/examples/json.h"
#include "../check.h"

enum { LATER = 64 };

/* Attached to each socket; the library frees it. */
typedef struct {
  unsigned events;
} state;

static atomic_uint made, freed, logged;
/* The changes of rooms in their order: "created a by -,joined a by ID". */
static char rooms[4096];
static pthread_mutex_t rooms_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static kraken_ws_event *later[LATER];
static size_t waiting;
static bool over;

static void free_state(void *user) {
  atomic_fetch_add(&freed, 1);
  free(user);
}

/* Questions that another thread answers. */
static void decide_later(const kraken_ws_event *event) {
  pthread_mutex_lock(&lock);
  CHECK(waiting < LATER);
  later[waiting++] = kraken_ws_event_retain(event);
  pthread_cond_signal(&more);
  pthread_mutex_unlock(&lock);
}

/* Allows the request, with a header. */
static void allow(const kraken_ws_event *event, const char *name) {
  kraken_ws_str headers[] = {S(name), S("yes")};
  IS(KRAKEN_WS_ERROR_ARGUMENT, kraken_ws_event_allow(event, headers, 1));
  IS(KRAKEN_WS_OK, kraken_ws_event_allow(event, headers, 2));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_allow(event, NULL, 0));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_refuse(event, S("")));
}

static void *decide(void *unused) {
  (void)unused;
  pthread_mutex_lock(&lock);
  while (!over || waiting > 0) {
    kraken_ws_event *event;
    if (waiting == 0) {
      pthread_cond_wait(&more, &lock);
      continue;
    }
    event = later[--waiting];
    pthread_mutex_unlock(&lock);
    switch (kraken_ws_event_get_kind(event)) {
      case KRAKEN_WS_EVENT_KIND_CONNECT: IS(KRAKEN_WS_OK, kraken_ws_event_accept(event)); break;
      case KRAKEN_WS_EVENT_KIND_EVENT: IS(KRAKEN_WS_OK, kraken_ws_event_ack(event, S("\"later\""), NULL, 0, 0)); break;
      default: allow(event, "x-later"); break;
    }
    kraken_ws_event_free(event);
    pthread_mutex_lock(&lock);
  }
  pthread_mutex_unlock(&lock);
  return NULL;
}

static int32_t on_connect(void *userdata, const kraken_ws_event *event) {
  kraken_ws_server *server = kraken_ws_event_server(event);
  uint64_t socket = kraken_ws_event_socket(event);
  kraken_ws_str mode = json_member(kraken_ws_event_auth(event), "mode");
  state *own;
  (void)userdata;
  CHECK(kraken_ws_event_is_pending(event));
  CHECK(kraken_ws_event_socket_id(event).len == 20);
  CHECK(kraken_ws_event_address(event).len > 0 && kraken_ws_event_header(event, S("host")).len > 0);
  CHECK(kraken_ws_event_url(event).len > 0 && memcmp(kraken_ws_event_method(event).ptr, "GET", 3) == 0);
  if (json_equals(mode, "reject")) {
    IS(KRAKEN_WS_ERROR_PAYLOAD, kraken_ws_event_reject(event, S("{")));
    IS(KRAKEN_WS_ERROR_PAYLOAD, kraken_ws_event_reject(event, S("[]")));
    IS(KRAKEN_WS_OK, kraken_ws_event_reject(event, S("{\"message\":\"AUTH_FAILED\",\"data\":{\"code\":7}}")));
    IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_accept(event));
    return KRAKEN_WS_DECISION_LATER;
  }
  if (json_equals(mode, "no")) return KRAKEN_WS_DECISION_REJECT;
  if (json_equals(mode, "forgotten")) return KRAKEN_WS_DECISION_LATER; /* and not retained: refused */
  own = calloc(1, sizeof *own);
  CHECK(own != NULL);
  atomic_fetch_add(&made, 1);
  IS(KRAKEN_WS_OK, kraken_ws_server_socket_set_user(server, socket, own, free_state));
  CHECK(kraken_ws_server_socket_user(server, socket) == own);
  IS(KRAKEN_WS_OK, kraken_ws_server_socket_emit(server, socket, S("welcome"), kraken_ws_event_namespace(event).len == 1 ? S("\"/\"") : S("\"other\""), NULL, 0, 0));
  if (json_equals(mode, "later")) {
    decide_later(event);
    return KRAKEN_WS_DECISION_LATER;
  }
  return KRAKEN_WS_DECISION_ACCEPT;
}

static void answer(const kraken_ws_event *event, const char *json) {
  if (kraken_ws_event_wants_ack(event)) IS(KRAKEN_WS_OK, kraken_ws_event_ack(event, S(json), NULL, 0, 0));
}

/* The first argument as a room expression: {"rooms":"a","except":"b"}, both optional. */
typedef struct {
  char rooms[64], except[64];
  kraken_ws_str room, left_out;
  kraken_ws_target target;
} expression;

static const kraken_ws_target *read_target(expression *e, kraken_ws_str json) {
  memset(e, 0, sizeof *e);
  e->target.size = sizeof e->target;
  if (json_plain(json_member(json, "rooms"), e->rooms, sizeof e->rooms)) {
    e->room = S(e->rooms);
    e->target.rooms = &e->room;
    e->target.rooms_len = 1;
  }
  if (json_plain(json_member(json, "except"), e->except, sizeof e->except)) {
    e->left_out = S(e->except);
    e->target.except = &e->left_out;
    e->target.except_len = 1;
  }
  return &e->target;
}

static void list_sockets(const kraken_ws_event *event, const kraken_ws_target *target) {
  kraken_ws_server *server = kraken_ws_event_server(event);
  kraken_ws_socket_list *list;
  kraken_ws_socket_info info;
  char json[4096] = "[";
  size_t count, len = 1;
  IS(KRAKEN_WS_OK, kraken_ws_server_fetch_sockets(server, target, &list));
  IS(KRAKEN_WS_OK, kraken_ws_server_count_sockets(server, target, &count));
  CHECK(count == kraken_ws_socket_list_len(list));
  for (size_t i = 0; kraken_ws_socket_list_get(list, i, &info); i++) {
    len += (size_t)snprintf(json + len, sizeof json - len, "%s{\"id\":\"%.*s\",\"data\":%.*s,\"auth\":%.*s,\"rooms\":[",
                            i ? "," : "", (int)info.id.len, info.id.ptr, info.data.len ? (int)info.data.len : 4,
                            info.data.len ? info.data.ptr : "null", info.auth.len ? (int)info.auth.len : 4,
                            info.auth.len ? info.auth.ptr : "null");
    for (size_t r = 0; r < info.rooms_len; r++) {
      kraken_ws_str room = kraken_ws_socket_list_room(list, i, r);
      len += (size_t)snprintf(json + len, sizeof json - len, "%s\"%.*s\"", r ? "," : "", (int)room.len, room.ptr);
    }
    CHECK(kraken_ws_socket_list_room(list, i, info.rooms_len).len == 0);
    len += (size_t)snprintf(json + len, sizeof json - len, "]}");
    CHECK(len < sizeof json - 1);
  }
  kraken_ws_socket_list_free(list);
  snprintf(json + len, sizeof json - len, "]");
  answer(event, json);
}

static void on_event(void *userdata, const kraken_ws_event *event) {
  kraken_ws_server *server = kraken_ws_event_server(event);
  uint64_t socket = kraken_ws_event_socket(event), id;
  kraken_ws_str first = kraken_ws_event_arg(event, 0), second = kraken_ws_event_arg(event, 1), name;
  state *own = kraken_ws_event_user(event);
  kraken_ws_bytes buffers[8];
  size_t count = kraken_ws_event_attachment_count(event);
  char plain[128] = "", text[256];
  expression e;
  bool has;
  (void)userdata;
  CHECK(own != NULL);
  own->events++;
  CHECK(count <= 8);
  for (size_t i = 0; i < count; i++) buffers[i] = kraken_ws_event_attachment(event, i);
  json_plain(first, plain, sizeof plain);
  name = S(plain);

  if (kraken_ws_event_is(event, "echo")) {
    /* Sends all arguments back, binary ones too, as the ack's or in an event. */
    char all[65536] = "[";
    for (size_t i = 0; i < kraken_ws_event_arg_count(event); i++) {
      kraken_ws_str arg = kraken_ws_event_arg(event, i);
      snprintf(all + strlen(all), sizeof all - strlen(all), "%s%.*s", i ? "," : "", (int)arg.len, arg.ptr);
    }
    strcat(all, "]");
    if (kraken_ws_event_wants_ack(event)) {
      IS(KRAKEN_WS_OK, kraken_ws_event_ack(event, S(all), buffers, count, KRAKEN_WS_FLAG_SPREAD));
      IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_ack(event, S("1"), NULL, 0, 0));
      CHECK(says("answered before"));
    } else {
      IS(KRAKEN_WS_OK, kraken_ws_server_socket_emit(server, socket, S("echo"), S(all), buffers, count, KRAKEN_WS_FLAG_SPREAD));
      IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_ack(event, S("1"), NULL, 0, 0));
      CHECK(says("does not ask for it"));
    }
  } else if (kraken_ws_event_is(event, "join")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_join(server, socket, &name, 1));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "leave")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_leave(server, socket, &name, 1));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "sendToRoom")) {
    IS(KRAKEN_WS_OK, kraken_ws_send_to_room(name, S("note"), second));
    IS(KRAKEN_WS_OK, kraken_ws_server_send_to_room(server, name, S("note"), S("\"again\""), NULL, 0));
    IS(KRAKEN_WS_OK, kraken_ws_server_send_to_room(server, name, S("bytes"), S("{\"_placeholder\":true,\"num\":0}"), buffers, count));
  } else if (kraken_ws_event_is(event, "sendToAll")) {
    IS(KRAKEN_WS_OK, kraken_ws_send_to_all(S("note"), first));
    IS(KRAKEN_WS_OK, kraken_ws_server_send_to_all(server, S("note"), S(""), NULL, 0));
    buffers[0] = kraken_ws_buffer("\0\1\2", 3);
    IS(KRAKEN_WS_OK, kraken_ws_server_send_to_all(server, S("bytes"), S("{\"_placeholder\":true,\"num\":0}"), buffers, 1));
  } else if (kraken_ws_event_is(event, "publish")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_publish(server, read_target(&e, first), S("note"), second, NULL, 0));
  } else if (kraken_ws_event_is(event, "move")) {
    json_plain(second, text, sizeof text);
    name = S(text);
    IS(KRAKEN_WS_OK, kraken_ws_server_sockets_join(server, read_target(&e, first), &name, 1));
    IS(KRAKEN_WS_OK, kraken_ws_server_sockets_leave(server, read_target(&e, first), &e.room, 1));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "kick")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_disconnect_sockets(server, read_target(&e, first), false));
  } else if (kraken_ws_event_is(event, "ban")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_publish(server, read_target(&e, first), S("note"), second, NULL, 0));
    IS(KRAKEN_WS_OK, kraken_ws_server_disconnect_sockets(server, read_target(&e, first), true));
  } else if (kraken_ws_event_is(event, "leaveMe")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_disconnect(server, socket, true));
  } else if (kraken_ws_event_is(event, "ask")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_emit_with_ack(server, socket, S("question"), first, NULL, 0, 0, 200, &id));
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    answer(event, text);
  } else if (kraken_ws_event_is(event, "askPatiently")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_emit_with_ack(server, socket, S("question"), first, NULL, 0, 0, 600000, &id));
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    answer(event, text);
  } else if (kraken_ws_event_is(event, "askAll")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_publish_with_ack(server, NULL, S("question"), first, NULL, 0, 500, &id));
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    answer(event, text);
  } else if (kraken_ws_event_is(event, "data")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_socket_set_data(server, socket, first));
    answer(event, "true");
  } else if (kraken_ws_event_is(event, "fetch")) {
    list_sockets(event, read_target(&e, first));
  } else if (kraken_ws_event_is(event, "has")) {
    IS(KRAKEN_WS_OK, kraken_ws_server_has_room(server, S(""), name, &has));
    answer(event, has ? "true" : "false");
  } else if (kraken_ws_event_is(event, "stats")) {
    kraken_ws_stats stats = {.size = sizeof stats};
    IS(KRAKEN_WS_OK, kraken_ws_server_stats(server, &stats));
    snprintf(text, sizeof text, "{\"sockets\":%llu,\"events\":%u,\"logged\":%u}", (unsigned long long)stats.sockets,
             own->events, atomic_load(&logged));
    answer(event, text);
  } else if (kraken_ws_event_is(event, "modules")) {
    size_t needed;
    IS(KRAKEN_WS_OK, kraken_ws_server_modules(server, text, sizeof text, &needed));
    answer(event, text);
  } else if (kraken_ws_event_is(event, "unload")) {
    snprintf(text, sizeof text, "%d", kraken_ws_server_unload_module(server, name));
    answer(event, text);
  } else if (kraken_ws_event_is(event, "rooms")) {
    char json[sizeof rooms + 2];
    pthread_mutex_lock(&rooms_lock);
    snprintf(json, sizeof json, "\"%s\"", rooms);
    pthread_mutex_unlock(&rooms_lock);
    answer(event, json);
  } else if (kraken_ws_event_is(event, "later")) {
    decide_later(event);
  } else if (kraken_ws_event_is(event, "reenter")) {
    /* In a callback, close does not wait. */
    IS(KRAKEN_WS_OK, kraken_ws_server_close(server, 60000));
    IS(KRAKEN_WS_ERROR_CLOSED, kraken_ws_send_to_all(S("note"), S("1")));
  }
}

static void on_disconnect(void *userdata, const kraken_ws_event *event) {
  char text[128];
  kraken_ws_str reason = kraken_ws_event_reason_text(event), id = kraken_ws_event_socket_id(event);
  (void)userdata;
  CHECK(kraken_ws_event_user(event) != NULL && kraken_ws_event_reason(event) >= 0);
  snprintf(text, sizeof text, "{\"id\":\"%.*s\",\"reason\":\"%.*s\"}", (int)id.len, id.ptr, (int)reason.len, reason.ptr);
  kraken_ws_server_send_to_all(kraken_ws_event_server(event), S("gone"), S(text), NULL, 0); /* CLOSED at the end */
}

static void on_ack(void *userdata, const kraken_ws_event *event) {
  char text[1024];
  size_t count = kraken_ws_event_arg_count(event);
  (void)userdata;
  snprintf(text, sizeof text, "{\"id\":%llu,\"timedOut\":%s,\"expected\":%u,\"attachments\":%u,\"answers\":[",
           (unsigned long long)kraken_ws_event_ack_id(event), kraken_ws_event_timed_out(event) ? "true" : "false",
           (unsigned)kraken_ws_event_expected(event), (unsigned)kraken_ws_event_attachment_count(event));
  for (size_t i = 0; i < count; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? "," : "",
             (int)kraken_ws_event_arg(event, i).len, kraken_ws_event_arg(event, i).ptr);
  strcat(text, "]");
  if (kraken_ws_event_reason(event) >= 0) {
    kraken_ws_str reason = kraken_ws_event_reason_text(event);
    snprintf(text + strlen(text), sizeof text - strlen(text), ",\"gone\":\"%.*s\"", (int)reason.len, reason.ptr);
  }
  strcat(text, "}");
  kraken_ws_server_send_to_all(kraken_ws_event_server(event), S("answered"), S(text), NULL, 0);
}

static void on_http(void *userdata, const kraken_ws_event *event) {
  kraken_ws_str headers[] = {S("content-type"), S("text/plain")}, url = kraken_ws_event_url(event);
  kraken_ws_bytes body = kraken_ws_event_attachment(event, 0);
  (void)userdata;
  if (url.len != 5 || memcmp(url.ptr, "/post", 5) != 0) return; /* 404 */
  IS(KRAKEN_WS_ERROR_ARGUMENT, kraken_ws_event_reply(event, 99, headers, 2, body));
  IS(KRAKEN_WS_ERROR_ARGUMENT, kraken_ws_event_reply(event, 200, headers, 1, body));
  IS(KRAKEN_WS_OK, kraken_ws_event_reply(event, 201, headers, 2, body));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_reply(event, 200, NULL, 0, body));
}

/* The query of a request says how to answer it: ?allow=reject. */
static bool asks(const kraken_ws_event *event, const char *what) {
  kraken_ws_str url = kraken_ws_event_url(event);
  char copy[512];
  snprintf(copy, sizeof copy, "%.*s", (int)url.len, url.ptr);
  return strstr(copy, what) != NULL;
}

static int32_t on_allow_request(void *userdata, const kraken_ws_event *event) {
  (void)userdata;
  CHECK(kraken_ws_event_is_pending(event) && kraken_ws_event_address(event).len > 0);
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_accept(event));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_reply(event, 200, NULL, 0, kraken_ws_buffer(NULL, 0)));
  if (asks(event, "allow=words")) {
    IS(KRAKEN_WS_OK, kraken_ws_event_refuse(event, S("not today")));
    return KRAKEN_WS_DECISION_REJECT;
  }
  if (asks(event, "allow=no")) return KRAKEN_WS_DECISION_REJECT;
  if (asks(event, "allow=forgotten")) return KRAKEN_WS_DECISION_LATER;
  if (asks(event, "allow=later")) {
    decide_later(event);
    return KRAKEN_WS_DECISION_LATER;
  }
  if (asks(event, "allow=header")) allow(event, "x-handshake");
  return KRAKEN_WS_DECISION_ACCEPT;
}

static int32_t on_engine(void *userdata, const kraken_ws_event *event) {
  kraken_ws_str headers[] = {S("x-engine"), S("no")};
  (void)userdata;
  CHECK(kraken_ws_event_is_pending(event));
  if (asks(event, "engine=no")) return KRAKEN_WS_DECISION_REJECT;
  if (asks(event, "engine=answer")) {
    IS(KRAKEN_WS_OK, kraken_ws_event_reply(event, 418, headers, 2, kraken_ws_buffer("teapot", 6)));
    return KRAKEN_WS_DECISION_ACCEPT; /* without effect: the event has been answered */
  }
  if (asks(event, "engine=header")) allow(event, "x-engine");
  return KRAKEN_WS_DECISION_ACCEPT;
}

static void on_headers(void *userdata, const kraken_ws_event *event) {
  (void)userdata;
  CHECK(!kraken_ws_event_is_pending(event));
  IS(KRAKEN_WS_ERROR_STATE, kraken_ws_event_refuse(event, S("")));
  if (asks(event, "headers=later")) decide_later(event);
  else if (asks(event, "headers=yes")) allow(event, "x-later-response");
}

static void on_room(void *userdata, const kraken_ws_event *event) {
  static const char *const names[] = {"", "created", "deleted", "joined", "left"};
  kraken_ws_str room = kraken_ws_event_room(event), id = kraken_ws_event_socket_id(event);
  kraken_ws_room_change change = kraken_ws_event_room_change(event);
  bool by_socket = change == KRAKEN_WS_ROOM_CHANGE_JOINED || change == KRAKEN_WS_ROOM_CHANGE_LEFT;
  size_t len;
  (void)userdata;
  CHECK(change != KRAKEN_WS_ROOM_CHANGE_NONE && room.len > 0 && kraken_ws_event_namespace(event).len > 0);
  CHECK((kraken_ws_event_socket(event) != 0) == by_socket);
  pthread_mutex_lock(&rooms_lock);
  len = strlen(rooms);
  snprintf(rooms + len, sizeof rooms - len, "%s%s %.*s by %.*s", len ? "," : "", names[change], (int)room.len, room.ptr,
           by_socket ? (int)id.len : 1, by_socket ? id.ptr : "-");
  pthread_mutex_unlock(&rooms_lock);
}

static void on_log(void *userdata, int32_t level, kraken_ws_str line) {
  (void)userdata;
  CHECK(level >= KRAKEN_WS_LOG_ERROR && level <= KRAKEN_WS_LOG_DEBUG && line.len > 0);
  atomic_fetch_add(&logged, 1);
}

static void decided(const kraken_ws_event *event, int32_t decision) {
  if (decision == KRAKEN_WS_DECISION_ACCEPT && kraken_ws_event_is_pending(event))
    IS(KRAKEN_WS_OK, kraken_ws_event_allow(event, NULL, 0));
  if (decision == KRAKEN_WS_DECISION_REJECT && kraken_ws_event_is_pending(event))
    IS(KRAKEN_WS_OK, kraken_ws_event_refuse(event, S("")));
}

/* The events of a polling host go to the same functions. */
static void *poll_events(void *server) {
  kraken_ws_event *events[16];
  size_t count;
  while (kraken_ws_server_poll(server, events, 16, -1, &count) == KRAKEN_WS_OK) {
    for (size_t i = 0; i < count; i++) {
      switch (kraken_ws_event_get_kind(events[i])) {
        case KRAKEN_WS_EVENT_KIND_CONNECT:
          if (on_connect(NULL, events[i]) == KRAKEN_WS_DECISION_ACCEPT) IS(KRAKEN_WS_OK, kraken_ws_event_accept(events[i]));
          break;
        case KRAKEN_WS_EVENT_KIND_EVENT: on_event(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_ACK:
        case KRAKEN_WS_EVENT_KIND_BROADCAST_ACK: on_ack(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_DISCONNECT: on_disconnect(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_HTTP: on_http(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_ROOM: on_room(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_HEADERS: on_headers(NULL, events[i]); break;
        case KRAKEN_WS_EVENT_KIND_ALLOW_REQUEST: decided(events[i], on_allow_request(NULL, events[i])); break;
        case KRAKEN_WS_EVENT_KIND_ENGINE: decided(events[i], on_engine(NULL, events[i])); break;
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
                                   .on_connect = on_connect,
                                   .on_event = on_event,
                                   .on_disconnect = on_disconnect,
                                   .on_ack = on_ack,
                                   .on_http = on_http,
                                   .on_log = on_log,
                                   .on_allow_request = on_allow_request,
                                   .on_headers = on_headers,
                                   .on_engine = on_engine,
                                   .on_room = on_room};
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server;
  pthread_t decider, poller;
  uint16_t port;
  char byte;
  IS(KRAKEN_WS_OK, kraken_ws_options_set_json(options, S("{\"shards\":2,\"hooks\":{\"http\":true,\"allowRequest\":true,"
                                                           "\"headers\":true,\"engine\":true,\"rooms\":true}}")));
  IS(KRAKEN_WS_OK, kraken_ws_options_decide_connects(options, true));
  IS(KRAKEN_WS_OK, kraken_ws_server_new(options, polling ? NULL : &callbacks, &server));
  kraken_ws_options_free(options);
  IS(KRAKEN_WS_OK, kraken_ws_server_create_namespace(server, S("/other")));
  IS(KRAKEN_WS_OK, kraken_ws_set_server(server));
  CHECK(pthread_create(&decider, NULL, decide, NULL) == 0);
  if (polling) CHECK(pthread_create(&poller, NULL, poll_events, server) == 0);
  if (argc > 2) IS(KRAKEN_WS_OK, kraken_ws_server_load_module(server, S(argv[2]), argc - 3, (const char *const *)argv + 3));
  IS(KRAKEN_WS_OK, kraken_ws_server_listen(server, S("127.0.0.1"), 0, &port));
  printf("port %u\n", port);
  fflush(stdout);

  while (read(0, &byte, 1) > 0) {
  }
  IS(KRAKEN_WS_OK, kraken_ws_server_close(server, 10000));
  pthread_mutex_lock(&lock);
  over = true;
  pthread_cond_signal(&more);
  pthread_mutex_unlock(&lock);
  pthread_join(decider, NULL);
  if (polling) pthread_join(poller, NULL);
  IS(KRAKEN_WS_OK, kraken_ws_server_free(server));
  printf("made %u, freed %u\n", atomic_load(&made), atomic_load(&freed));
  return atomic_load(&made) == atomic_load(&freed) ? 0 : 1;
}
