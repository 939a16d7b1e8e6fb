/* A chat server in C: serves the demo's page and the events that the page needs.
 *
 *   chat_host PORT PUBLIC_FOLDER CLIENT_BUNDLE [MODULE [ARGUMENT...]]
 *
 * PUBLIC_FOLDER is node-binding/examples/chat/public, CLIENT_BUNDLE socket.io-client's dist/socket.io.esm.min.js. A module
 * is loaded before anybody can connect. SIGINT and SIGTERM end it. All callbacks run on one thread, so the state needs
 * no lock. */
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "json.h"
#include "kraken_ws.h"

enum { HISTORY = 50, NAME = 96, ID = 32 };

static const char *const text_channels[] = {"general", "engineering", "random"};
static const char *const voice_channels[] = {"lounge", "standup"};
enum { TEXT_CHANNELS = 3, VOICE_CHANNELS = 2 };

/* One connection, attached to its socket: kraken_ws_server_socket_set_user. */
typedef struct member {
  kraken_ws_server *server;
  uint64_t socket;
  char id[NAME], name[NAME], voice[ID];
  bool muted;
  struct member *next;
} member;

typedef struct {
  member *members;
  char *history[TEXT_CHANNELS][HISTORY];
  unsigned written[TEXT_CHANNELS], serial;
  const char *folder, *bundle;
} chat;

/* ---- text that grows ---- */

typedef struct {
  char *ptr;
  size_t len, room;
} buffer;

static void add(buffer *out, const char *format, ...) {
  va_list args;
  int len;
  va_start(args, format);
  len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (out->len + (size_t)len + 1 > out->room) {
    out->room = 2 * (out->len + (size_t)len) + 64;
    out->ptr = realloc(out->ptr, out->room);
    if (!out->ptr) abort();
  }
  va_start(args, format);
  vsnprintf(out->ptr + out->len, out->room - out->len, format, args);
  va_end(args);
  out->len += (size_t)len;
}

static kraken_ws_str view(const buffer *text) {
  kraken_ws_str str = {text->ptr, text->len};
  return str;
}

/* ---- who is there ---- */

static unsigned connections(const chat *c, const char *id) {
  unsigned n = 0;
  for (const member *m = c->members; m; m = m->next) n += strcmp(m->id, id) == 0;
  return n;
}

static void send_to_channel(const char *prefix, const char *id, const char *event, const buffer *payload) {
  char name[128];
  kraken_ws_send_to_room(kraken_ws_room(name, sizeof name, prefix, kraken_ws_cstr(id)), kraken_ws_cstr(event),
                         view(payload));
}

static void announce_voice(const member *m, const char *event) {
  buffer payload = {0};
  add(&payload, "{\"channelId\":\"%s\",\"userId\":\"%s\",\"name\":\"%s\",\"muted\":%s}", m->voice, m->id, m->name,
      m->muted ? "true" : "false");
  send_to_channel(KRAKEN_WS_ROOM_VOICE, m->voice, event, &payload);
  send_to_channel(KRAKEN_WS_ROOM_COMMUNITY, "kraken", event, &payload);
  free(payload.ptr);
}

static void leave_voice(member *m) {
  char name[128];
  kraken_ws_str room;
  if (!m->voice[0]) return;
  announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_LEFT);
  room = kraken_ws_room(name, sizeof name, KRAKEN_WS_ROOM_VOICE, kraken_ws_cstr(m->voice));
  kraken_ws_server_socket_leave(m->server, m->socket, &room, 1);
  m->voice[0] = 0;
}

static void announce_user(const member *m, const char *event) {
  buffer payload = {0};
  add(&payload, "{\"userId\":\"%s\",\"name\":\"%s\",\"idle\":false}", m->id, m->name);
  kraken_ws_send_to_all(kraken_ws_cstr(event), view(&payload));
  free(payload.ptr);
}

/* ---- what clients ask for: each returns NULL and fills `answer`, or says what is wrong ---- */

static const char *find_channel(kraken_ws_str payload, const char *const *channels, int count, int *at) {
  kraken_ws_str id = json_member(payload, "channelId");
  for (*at = 0; *at < count; ++*at)
    if (json_equals(id, channels[*at])) return NULL;
  return "channelId: no such channel";
}

static const char *join_all(chat *c, member *m, buffer *answer) {
  kraken_ws_str rooms[1 + TEXT_CHANNELS];
  char names[1 + TEXT_CHANNELS][64];
  const char *comma = "";
  rooms[0] = kraken_ws_cstr(KRAKEN_WS_ROOM_COMMUNITY "kraken");
  for (int i = 0; i < TEXT_CHANNELS; i++)
    rooms[1 + i] =
        kraken_ws_room(names[i], sizeof names[i], KRAKEN_WS_ROOM_CHANNEL, kraken_ws_cstr(text_channels[i]));
  kraken_ws_server_socket_join(m->server, m->socket, rooms, 1 + TEXT_CHANNELS);

  add(answer, ",\"me\":{\"id\":\"%s\",\"name\":\"%s\"},\"community\":{\"id\":\"kraken\",\"name\":\"Kraken\",\"channels\":[",
      m->id, m->name);
  for (int i = 0; i < TEXT_CHANNELS; i++, comma = ",")
    add(answer, "%s{\"id\":\"%s\",\"name\":\"%s\",\"kind\":\"text\",\"topic\":\"\"}", comma, text_channels[i],
        text_channels[i]);
  for (int i = 0; i < VOICE_CHANNELS; i++)
    add(answer, ",{\"id\":\"%s\",\"name\":\"%s\",\"kind\":\"voice\"}", voice_channels[i], voice_channels[i]);
  add(answer, "]},\"threads\":[],\"online\":[");
  comma = "";
  for (const member *other = c->members; other; other = other->next, comma = ",")
    add(answer, "%s{\"userId\":\"%s\",\"name\":\"%s\",\"idle\":false}", comma, other->id, other->name);
  add(answer, "],\"voice\":[");
  comma = "";
  for (const member *other = c->members; other; other = other->next) {
    if (!other->voice[0]) continue;
    add(answer, "%s{\"channelId\":\"%s\",\"userId\":\"%s\",\"name\":\"%s\",\"muted\":%s}", comma, other->voice, other->id,
        other->name, other->muted ? "true" : "false");
    comma = ",";
  }
  add(answer, "]");
  return NULL;
}

static const char *join_room(chat *c, member *m, kraken_ws_str room, bool join, buffer *answer) {
  char name[128];
  kraken_ws_str text = {name, 0};
  const char *comma = "";
  bool channel;
  if (!json_plain(room, name, sizeof name)) return "room: expected a string";
  channel = strncmp(name, KRAKEN_WS_ROOM_CHANNEL, strlen(KRAKEN_WS_ROOM_CHANNEL)) == 0;
  if (!channel && strncmp(name, KRAKEN_WS_ROOM_PRESENCE, strlen(KRAKEN_WS_ROOM_PRESENCE)) != 0)
    return "room: can't be joined by request";
  text.len = strlen(name);
  if (join) kraken_ws_server_socket_join(m->server, m->socket, &text, 1);
  else kraken_ws_server_socket_leave(m->server, m->socket, &text, 1);
  add(answer, ",\"room\":\"%s\"", name);
  for (int i = 0; join && channel && i < TEXT_CHANNELS; i++) {
    if (strcmp(name + strlen(KRAKEN_WS_ROOM_CHANNEL), text_channels[i]) != 0) continue;
    add(answer, ",\"messages\":[");
    for (unsigned k = c->written[i] > HISTORY ? c->written[i] - HISTORY : 0; k < c->written[i]; k++, comma = ",")
      add(answer, "%s%s", comma, c->history[i][k % HISTORY]);
    add(answer, "]");
  }
  return NULL;
}

static void stamp(char out[32]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, 32, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
}

static const char *send_message(chat *c, member *m, kraken_ws_str payload, buffer *answer) {
  kraken_ws_str content = json_member(payload, "content");
  const char *wrong;
  char at[32], **slot;
  buffer message = {0};
  int channel;
  if ((wrong = find_channel(payload, text_channels, TEXT_CHANNELS, &channel))) return wrong;
  if (!json_is_text(content) || content.len == 2) return "content: expected a string";
  if (content.len > 4000) return "content: too long";
  stamp(at);
  add(&message,
      "{\"id\":\"c-%u\",\"channelId\":\"%s\",\"author\":{\"id\":\"%s\",\"name\":\"%s\"},\"content\":%.*s,\"sentAt\":\"%s\"}",
      ++c->serial, text_channels[channel], m->id, m->name, (int)content.len, content.ptr, at);
  send_to_channel(KRAKEN_WS_ROOM_CHANNEL, text_channels[channel], KRAKEN_WS_SERVER_EVENT_NEW_MESSAGE, &message);
  add(answer, ",\"id\":\"c-%u\",\"sentAt\":\"%s\"", c->serial, at);
  slot = &c->history[channel][c->written[channel]++ % HISTORY];
  free(*slot);
  *slot = message.ptr;
  return NULL;
}

static const char *send_direct(chat *c, member *m, kraken_ws_str payload, buffer *answer) {
  kraken_ws_str content = json_member(payload, "content");
  char to[NAME], at[32];
  const member *peer = c->members;
  buffer message = {0};
  if (!json_plain(json_member(payload, "to"), to, sizeof to)) return "to: expected a string";
  if (!json_is_text(content) || content.len == 2 || content.len > 4000) return "content: expected a string";
  while (peer && strcmp(peer->id, to) != 0) peer = peer->next;
  if (!peer) return "to: nobody here is called that";
  stamp(at);
  add(&message,
      "{\"id\":\"c-%u\",\"author\":{\"id\":\"%s\",\"name\":\"%s\"},\"to\":{\"id\":\"%s\",\"name\":\"%s\"},\"content\":%.*s,"
      "\"sentAt\":\"%s\"}",
      ++c->serial, m->id, m->name, peer->id, peer->name, (int)content.len, content.ptr, at);
  send_to_channel(KRAKEN_WS_ROOM_USER, peer->id, KRAKEN_WS_SERVER_EVENT_NEW_DM, &message);
  if (strcmp(peer->id, m->id) != 0) send_to_channel(KRAKEN_WS_ROOM_USER, m->id, KRAKEN_WS_SERVER_EVENT_NEW_DM, &message);
  add(answer, ",\"id\":\"c-%u\",\"sentAt\":\"%s\"", c->serial, at);
  free(message.ptr);
  return NULL;
}

/* To everybody in the channel but this connection: a room expression. */
static const char *typing(member *m, const kraken_ws_event *event, kraken_ws_str payload, bool on) {
  const char *wrong;
  int channel;
  char name[64];
  buffer message = {0};
  kraken_ws_str room, own = kraken_ws_event_socket_id(event);
  kraken_ws_target target = {.size = sizeof target, .rooms = &room, .rooms_len = 1, .except = &own, .except_len = 1};
  if ((wrong = find_channel(payload, text_channels, TEXT_CHANNELS, &channel))) return wrong;
  room = kraken_ws_room(name, sizeof name, KRAKEN_WS_ROOM_CHANNEL, kraken_ws_cstr(text_channels[channel]));
  add(&message, "{\"channelId\":\"%s\",\"userId\":\"%s\",\"name\":\"%s\",\"isTyping\":%s}", text_channels[channel], m->id,
      m->name, on ? "true" : "false");
  kraken_ws_server_publish(m->server, &target, kraken_ws_cstr(KRAKEN_WS_SERVER_EVENT_USER_TYPING), view(&message), NULL, 0);
  free(message.ptr);
  return NULL;
}

static const char *join_voice(member *m, kraken_ws_str payload, buffer *answer) {
  const char *wrong;
  int channel;
  char name[64];
  kraken_ws_str room, muted = json_member(payload, "muted");
  if ((wrong = find_channel(payload, voice_channels, VOICE_CHANNELS, &channel))) return wrong;
  leave_voice(m);
  strcpy(m->voice, voice_channels[channel]);
  m->muted = muted.len == 4 && memcmp(muted.ptr, "true", 4) == 0;
  room = kraken_ws_room(name, sizeof name, KRAKEN_WS_ROOM_VOICE, kraken_ws_cstr(m->voice));
  kraken_ws_server_socket_join(m->server, m->socket, &room, 1);
  announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_JOINED);
  add(answer, ",\"channelId\":\"%s\",\"muted\":%s", m->voice, m->muted ? "true" : "false");
  return NULL;
}

static const char *update_voice(member *m, kraken_ws_str payload) {
  kraken_ws_str muted = json_member(payload, "muted");
  if (!m->voice[0]) return "not in a voice channel";
  m->muted = muted.len == 4 && memcmp(muted.ptr, "true", 4) == 0;
  announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_UPDATED);
  return NULL;
}

/* ---- callbacks ---- */

static int32_t on_connect(void *userdata, const kraken_ws_event *event) {
  chat *c = userdata;
  member *m = calloc(1, sizeof *m);
  char room[128];
  kraken_ws_str user;
  if (!m) return KRAKEN_WS_DECISION_REJECT;
  if (!json_plain(json_member(kraken_ws_event_auth(event), "name"), m->name, NAME)) {
    free(m);
    kraken_ws_event_reject(event, kraken_ws_cstr("{\"message\":\"AUTH_FAILED\",\"data\":{\"message\":\"name: expected "
                                                   "a short text\"}}"));
    return KRAKEN_WS_DECISION_LATER;
  }
  for (size_t i = 0; m->name[i]; i++) m->id[i] = m->name[i] == ' ' ? '-' : (char)tolower((unsigned char)m->name[i]);
  m->server = kraken_ws_event_server(event);
  m->socket = kraken_ws_event_socket(event);
  kraken_ws_server_socket_set_user(m->server, m->socket, m, free);
  user = kraken_ws_room(room, sizeof room, KRAKEN_WS_ROOM_USER, kraken_ws_cstr(m->id));
  kraken_ws_server_socket_join(m->server, m->socket, &user, 1);
  kraken_ws_event_accept(event);
  m->next = c->members;
  c->members = m;
  if (connections(c, m->id) == 1) announce_user(m, KRAKEN_WS_SERVER_EVENT_USER_ONLINE);
  return KRAKEN_WS_DECISION_LATER;
}

static void on_event(void *userdata, const kraken_ws_event *event) {
  chat *c = userdata;
  member *m = kraken_ws_event_user(event);
  kraken_ws_str payload = kraken_ws_event_arg(event, 0);
  const char *wrong = NULL;
  buffer answer = {0};
  add(&answer, "{\"ok\":true");
  if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_JOIN_ALL)) wrong = join_all(c, m, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_JOIN_ROOM)) wrong = join_room(c, m, payload, true, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_LEAVE_ROOM)) wrong = join_room(c, m, payload, false, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_SEND_MESSAGE)) wrong = send_message(c, m, payload, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_SEND_DM)) wrong = send_direct(c, m, payload, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_TYPING_START)) wrong = typing(m, event, payload, true);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_TYPING_STOP)) wrong = typing(m, event, payload, false);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_VOICE_CHANNEL_JOIN)) wrong = join_voice(m, payload, &answer);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_VOICE_CHANNEL_LEAVE)) leave_voice(m);
  else if (kraken_ws_event_is(event, KRAKEN_WS_CLIENT_EVENT_VOICE_STATE_UPDATE)) wrong = update_voice(m, payload);
  add(&answer, "}");
  if (wrong) {
    answer.len = 0;
    add(&answer, "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"}", wrong, wrong);
    kraken_ws_server_socket_emit(m->server, m->socket, kraken_ws_cstr(KRAKEN_WS_SERVER_EVENT_ERROR), view(&answer), NULL, 0, 0);
  }
  if (kraken_ws_event_wants_ack(event)) kraken_ws_event_ack(event, view(&answer), NULL, 0, 0);
  free(answer.ptr);
}

static void on_disconnect(void *userdata, const kraken_ws_event *event) {
  chat *c = userdata;
  member *m = kraken_ws_event_user(event), **at = &c->members;
  leave_voice(m);
  while (*at && *at != m) at = &(*at)->next;
  if (*at) *at = m->next;
  if (connections(c, m->id) == 0) announce_user(m, KRAKEN_WS_SERVER_EVENT_USER_OFFLINE);
} /* the library frees the connection after this, with the function given in on_connect */

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

/* Files of the page. Only plain names below the folder can be asked for. */
static void on_http(void *userdata, const kraken_ws_event *event) {
  const chat *c = userdata;
  kraken_ws_str url = kraken_ws_event_url(event);
  size_t len = 0;
  char path[512], *body = NULL;
  const char *type;
  FILE *file;
  long size;
  while (len < url.len && url.ptr[len] != '?') len++;
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)url.ptr[i]) && !strchr("/-_.", url.ptr[i])) return; /* unanswered: 404 */
  if (len == 1) snprintf(path, sizeof path, "%s/index.html", c->folder);
  else if (len == strlen("/vendor/socket.io.js") && memcmp(url.ptr, "/vendor/socket.io.js", len) == 0)
    snprintf(path, sizeof path, "%s", c->bundle);
  else if (len > 200 || snprintf(path, sizeof path, "%s%.*s", c->folder, (int)len, url.ptr) >= (int)sizeof path) return;
  if (strstr(path + strlen(c->folder), "..") && strcmp(path, c->bundle) != 0) return;
  type = ends_with(path, ".css")   ? "text/css; charset=utf-8"
         : ends_with(path, ".js")  ? "text/javascript; charset=utf-8"
         : ends_with(path, ".svg") ? "image/svg+xml"
                                   : "text/html; charset=utf-8";
  file = fopen(path, "rb");
  if (!file) return;
  if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && size < 1 << 24 && (body = malloc((size_t)size + 1))) {
    kraken_ws_str headers[] = {kraken_ws_cstr("content-type"), kraken_ws_cstr(type)};
    rewind(file);
    if (fread(body, 1, (size_t)size, file) == (size_t)size)
      kraken_ws_event_reply(event, 200, headers, 2, kraken_ws_buffer(body, (size_t)size));
  }
  free(body);
  fclose(file);
}

static void on_log(void *userdata, int32_t level, kraken_ws_str line) {
  (void)userdata;
  if (level <= KRAKEN_WS_LOG_WARN) fprintf(stderr, "%.*s\n", (int)line.len, line.ptr);
}

static int fail(const char *what) {
  char error[256];
  kraken_ws_last_error(error, sizeof error);
  fprintf(stderr, "%s: %s\n", what, error);
  return 1;
}

int main(int argc, char **argv) {
  chat c = {0};
  kraken_ws_callbacks callbacks = {.size = sizeof callbacks,
                                   .userdata = &c,
                                   .on_connect = on_connect,
                                   .on_event = on_event,
                                   .on_disconnect = on_disconnect,
                                   .on_http = on_http,
                                   .on_log = on_log};
  kraken_ws_options *options = kraken_ws_options_new();
  kraken_ws_server *server;
  uint16_t port;
  sigset_t signals;
  int signal;
  if (argc < 4) {
    fprintf(stderr, "usage: %s PORT PUBLIC_FOLDER CLIENT_BUNDLE [MODULE [ARGUMENT...]]\n", argv[0]);
    return 2;
  }
  c.folder = argv[2];
  c.bundle = argv[3];
  /* Blocked before there are other threads, so that only this one gets the signals. */
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);

  if (kraken_ws_options_set_json(options, kraken_ws_cstr("{\"maxHttpBufferSize\":65536}"))) return fail("options");
  if (kraken_ws_server_new(options, &callbacks, &server)) return fail("server");
  kraken_ws_options_free(options);
  kraken_ws_set_server(server);
  if (argc > 4 && kraken_ws_server_load_module(server, kraken_ws_cstr(argv[4]), argc - 5, (const char *const *)(argv + 5)))
    return fail("module");
  if (kraken_ws_server_listen(server, kraken_ws_cstr("127.0.0.1"), (uint16_t)atoi(argv[1]), &port)) return fail("listen");
  printf("chat: http://127.0.0.1:%u/\n", port);
  fflush(stdout);

  sigwait(&signals, &signal);
  if (kraken_ws_server_close(server, 5000)) return fail("close");
  kraken_ws_server_free(server);
  for (int i = 0; i < TEXT_CHANNELS; i++)
    for (int k = 0; k < HISTORY; k++) free(c.history[i][k]);
  return 0;
}
