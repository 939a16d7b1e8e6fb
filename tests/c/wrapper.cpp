// The C++ header over the library: errors are exceptions, objects free what they hold.
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

int main() {
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
    server.publish({{"a", "b"}, {"c"}, "/other", KRAKEN_WS_VOLATILE}, "e", "[1]");
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
    server.emit_to(1, "e");
    CHECK(server.emit_with_ack(1, "e", "1", 10) != server.publish_with_ack({}, "e", "1", 10));
    server.join(1, {"r"});
    server.leave(1, {"r"});
    server.disconnect(1);
    CHECK(!dropped);
    server.shutdown(5000);
    CHECK(dropped);
    CHECK(status_of([&] { server.send_to_all("e"); }, "shut down") == KRAKEN_WS_ERROR_CLOSED);
  }
  kraken_ws::server polling;
  CHECK(polling.event_fd() >= 0 && polling.poll(4, 1).empty());
  polling.shutdown(5000);
  auto events = polling.poll(4, -1);
  CHECK(events.size() == 1 && events[0].kind() == KRAKEN_WS_EVENT_KIND_CLOSED);
  kraken_ws::event kept(events[0]), copy = kept;
  events.clear();
  CHECK(copy.kind() == KRAKEN_WS_EVENT_KIND_CLOSED);
  CHECK(status_of([&] { polling.poll(4, 1); }, "ended") == KRAKEN_WS_ERROR_CLOSED);
  return 0;
}
