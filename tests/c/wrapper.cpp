// The C++ header over the library: errors are exceptions, objects free what they hold.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "kraken_ws.hpp"

#define CHECK(it)                                                            \
  do {                                                                       \
    if (!(it)) {                                                             \
      std::cerr << __FILE__ << ":" << __LINE__ << ": not so: " #it "\n";     \
      std::exit(1);                                                          \
    }                                                                        \
  } while (0)

template <class Call>
static kraken_ws_status status_of(Call call, const char *part) {
  try {
    call();
  } catch (const kraken_ws::error &e) {
    CHECK(std::string(e.what()).find(part) != std::string::npos);
    CHECK(std::string(e.name()).rfind("ERR_KRAKEN_WS_", 0) == 0);
    return e.status();
  }
  return KRAKEN_WS_OK;
}

// The response to one polling handshake, head and body.
static std::string handshake(std::uint16_t port, const std::string &query) {
  const std::string request = "GET /socket.io/?EIO=4&transport=polling&" + query +
                              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  std::string response;
  char buffer[1024];
  ssize_t got;
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  CHECK(::write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) response.append(buffer, static_cast<std::size_t>(got));
  ::close(fd);
  return response;
}

static bool asks(const kraken_ws::event_view &event, const char *what) {
  return event.url().find(what) != std::string_view::npos;
}

static void questions() {
  std::string thrown;
  kraken_ws::handlers handlers;
  handlers.on_allow_request = [](const kraken_ws::event_view &event) {
    CHECK(event.kind() == KRAKEN_WS_EVENT_KIND_ALLOW_REQUEST && event.is_pending());
    if (asks(event, "allow=throw")) throw std::runtime_error("deliberate");
    if (asks(event, "allow=words")) event.refuse("not today");
    if (asks(event, "allow=header")) event.allow({"x-allow", "yes"});
    return asks(event, "allow=no") ? kraken_ws::decision::reject : kraken_ws::decision::accept;
  };
  handlers.on_engine = [](const kraken_ws::event_view &event) {
    if (asks(event, "engine=answer")) event.reply(418, {"x-engine", "no"}, "teapot");
    return asks(event, "engine=no") ? kraken_ws::decision::reject : kraken_ws::decision::accept;
  };
  handlers.on_headers = [](const kraken_ws::event_view &event) { event.allow(); };
  handlers.on_room = [](const kraken_ws::event_view &event) {
    CHECK(!event.room().empty() && event.room_change() != KRAKEN_WS_ROOM_CHANGE_NONE);
  };
  handlers.on_exception = [&](std::exception_ptr what) {
    try {
      std::rethrow_exception(what);
    } catch (const std::exception &e) {
      thrown = e.what();
    }
  };
  kraken_ws::server server(kraken_ws::options(R"({"shards":1})"), std::move(handlers));
  const auto port = server.listen("127.0.0.1", 0);
  const auto has = [&](const char *query, const char *part) { return handshake(port, query).find(part) != std::string::npos; };
  CHECK(has("allow=header", "x-allow: yes") && has("x=y", "200 OK"));
  CHECK(has("allow=words", "not today") && has("allow=no", "403") && has("allow=throw", "Forbidden"));
  CHECK(has("engine=answer", "418") && has("engine=answer", "teapot") && has("engine=no", "400"));
  server.close(5000);
  CHECK(thrown == "deliberate");
}

// What needs no Redis; fleet.test.mjs has what does, in C.
static void fleets_of_one() {
  kraken_ws::handlers handlers;
  handlers.on_server_side = [](const kraken_ws::event_view &event) { event.ack("1"); };
  handlers.on_cluster = [](const kraken_ws::event_view &event) { CHECK(event.lost() == 0); };
  kraken_ws::server server(kraken_ws::options(), std::move(handlers)), polling;
  CHECK(server.node_count() == 1);
  server.server_side_emit("hello", "1");
  CHECK(status_of([&] { server.cluster_stats(); }, "in no fleet") == KRAKEN_WS_ERROR_STATE);
  CHECK(status_of([&] { server.join_cluster("{}"); }, "cluster.redis") == KRAKEN_WS_ERROR_OPTION);
  const auto id = polling.server_side_emit_with_ack("hello", "1", 10);
  const auto events = polling.poll(1, -1);
  CHECK(events.size() == 1 && events[0].ack_id() == id && events[0].missing() == 0 && events[0].missing_node(0).empty());
  CHECK(events[0].cluster_change() == KRAKEN_WS_CLUSTER_CHANGE_NONE);
  CHECK(status_of([] { kraken_ws::emitter("{}"); }, "cluster.redis") == KRAKEN_WS_ERROR_OPTION);
  kraken_ws::emitter made(R"({"redis":"redis://127.0.0.1:1","redisTimeout":200})"), emitter(std::move(made));
  CHECK(made.raw() == nullptr && emitter.stats().up == 0);
  emitter.publish(kraken_ws::to("r"), "e", "1");
  emitter.sockets_join(kraken_ws::to("r"), {"x"});
  emitter.sockets_leave({}, {"x"});
  emitter.disconnect_sockets(kraken_ws::to("x"));
  emitter.server_side_emit("hello");
  CHECK(status_of([&] { emitter.flush(50); }, "not all was published") == KRAKEN_WS_ERROR_TIMEOUT);
}

int main() {
  questions();
  fleets_of_one();
  CHECK(status_of([] { kraken_ws::options(R"({"pingTimeout":0})"); }, "pingTimeout: expected") == KRAKEN_WS_ERROR_OPTION);
  bool dropped = false;
  {
    auto token = std::shared_ptr<int>(new int(1), [&](int *p) {
      dropped = true;
      delete p;
    });
    kraken_ws::handlers handlers;
    handlers.on_event = [token](const kraken_ws::event_view &) {};
    token.reset();
    kraken_ws::server first(kraken_ws::options(R"({"shards":1})"), std::move(handlers)), server(std::move(first));
    CHECK(first.raw() == nullptr && server.listen("127.0.0.1", 0) != 0);
    server.set_process_wide();
    server.create_namespace("/other");
    server.send_to_room("r", "e", "{}");
    server.send_to_all("e");
    server.publish({{"a", "b"}, {"c"}, "/other", KRAKEN_WS_FLAG_VOLATILE}, "e", "[1]");
    CHECK(server.try_send_to_room("r", "e", "{") == KRAKEN_WS_ERROR_PAYLOAD);
    CHECK(status_of([&] { server.send_to_all("e", "{"); }, "payload: no JSON") == KRAKEN_WS_ERROR_PAYLOAD);
    CHECK(status_of([&] { server.publish({{}, {}, "/none", 0}, "e"); }, "/none") == KRAKEN_WS_ERROR_NAME);
    CHECK(status_of([&] { server.poll(1, 0); }, "callbacks") == KRAKEN_WS_ERROR_STATE);
    CHECK(status_of([&] { server.load_module("/none.so", {"x"}); }, "/none.so") == KRAKEN_WS_ERROR_MODULE);
    CHECK(status_of([&] { server.unload_module("none"); }, "none") == KRAKEN_WS_ERROR_MODULE);
    CHECK(server.count_sockets(kraken_ws::to("r")) == 0 && !server.has_room("r") && server.stats().sockets == 0);
    server.sockets_join({}, {"x"});
    server.sockets_leave(kraken_ws::to("x"), {"x"});
    server.disconnect_sockets(kraken_ws::to("x"));
    server.socket_emit(1, "e");
    CHECK(server.socket_emit_with_ack(1, "e", "1", 10) != server.publish_with_ack({}, "e", "1", 10));
    server.socket_join(1, {"r"});
    server.socket_leave(1, {"r"});
    server.socket_disconnect(1);
    CHECK(!dropped);
    server.close(5000);
    CHECK(dropped);
    CHECK(status_of([&] { server.send_to_all("e"); }, "closed") == KRAKEN_WS_ERROR_CLOSED);
  }
  kraken_ws::server polling;
  CHECK(polling.event_fd() >= 0 && polling.poll(4, 1).empty());
  polling.close(5000);
  auto events = polling.poll(4, -1);
  CHECK(events.size() == 1 && events[0].kind() == KRAKEN_WS_EVENT_KIND_CLOSED);
  kraken_ws::event kept(events[0]), copy = kept;
  events.clear();
  CHECK(copy.kind() == KRAKEN_WS_EVENT_KIND_CLOSED);
  CHECK(status_of([&] { polling.poll(4, 1); }, "ended") == KRAKEN_WS_ERROR_CLOSED);
  return 0;
}
