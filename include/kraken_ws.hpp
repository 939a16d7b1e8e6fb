// SPDX-License-Identifier: MIT
/// @file
/// The C++17 interface, header only, over kraken_ws.h.
///
/// Failures are exceptions (kraken_ws::error): nearly everything that can fail is a mistake of the program or happens once at
/// start, constructors have no other way to say so, and std::expected is not in C++17. What may fail in the ordinary course
/// of things has a try_ variant that returns the status: try_send_to_room, try_send_to_all.
///
/// Handlers may throw: what leaves one goes to handlers::on_exception, never through the library; a connect or request is
/// then refused. Views (std::string_view) live as long as the event they come from; kraken_ws::event keeps one.
#ifndef KRAKEN_WS_HPP
#define KRAKEN_WS_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kraken_ws.h"

/// The C++17 interface: exceptions, views and handlers over `kraken_ws.h`.
namespace kraken_ws {

/// What a call failed with; what() is the library's message.
class error : public std::runtime_error {
 public:
  /// What a call returned, and its message.
  error(kraken_ws_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
  /// The status of the call that failed.
  kraken_ws_status status() const noexcept { return status_; }
  /// ERR_KRAKEN_WS_OPTION for example.
  const char *name() const noexcept { return kraken_ws_status_name(status_); }

 private:
  kraken_ws_status status_;
};

/// @cond detail
namespace detail {

inline kraken_ws_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view view(kraken_ws_str text) noexcept {
  return text.len ? std::string_view(text.ptr, text.len) : std::string_view();
}

inline void check(kraken_ws_status status) {
  if (status == KRAKEN_WS_OK) return;
  std::string message(kraken_ws_last_error(nullptr, 0) + 1, '\0');
  kraken_ws_last_error(&message[0], message.size());
  message.pop_back();
  throw error(status, message);
}

inline std::vector<kraken_ws_str> strs(const std::vector<std::string_view> &texts) {
  std::vector<kraken_ws_str> out;
  for (auto text : texts) out.push_back(str(text));
  return out;
}

}  // namespace detail
/// @endcond

/// A socket's number: see `kraken_ws_event_socket`.
using socket = std::uint64_t;

/// Bytes that somebody else owns.
struct bytes_view {
  /// First byte.
  const std::uint8_t *data = nullptr;
  /// Bytes.
  std::size_t size = 0;
};

/// To whom: members of any of `rooms` (empty: everybody) who are in none of `except`.
struct target {
  /// Members of any of these; empty means everybody.
  std::vector<std::string_view> rooms;
  /// Members of these are left out.
  std::vector<std::string_view> except;
  /// Namespace; empty means `/`.
  std::string_view nsp;
  /// `KRAKEN_WS_VOLATILE` and the like.
  std::uint32_t flags = 0;
};

/// @cond detail
namespace detail {

/// Calls with the C struct of a target, which lives as long as the call.
template <class Call>
void with(const target &whom, Call call) {
  auto rooms = strs(whom.rooms), except = strs(whom.except);
  kraken_ws_target t{};
  t.size = sizeof t;
  t.nsp = str(whom.nsp);
  t.rooms = rooms.data();
  t.rooms_len = rooms.size();
  t.except = except.data();
  t.except_len = except.size();
  t.flags = whom.flags;
  check(call(t));
}

}  // namespace detail
/// @endcond

/// Everybody in `room`.
inline target to(std::string_view room) { return target{{room}, {}, {}, 0}; }

/// One event, for as long as its handler runs; event keeps one for longer.
class event_view {
 public:
  /// Of what a callback of the C interface got.
  explicit event_view(const kraken_ws_event *raw) noexcept : raw_(raw) {}
  /// For functions of the C interface.
  const kraken_ws_event *raw() const noexcept { return raw_; }

  /// See `kraken_ws_event_get_kind`.
  kraken_ws_event_kind kind() const noexcept { return kraken_ws_event_get_kind(raw_); }
  /// See `kraken_ws_event_socket`.
  kraken_ws::socket socket() const noexcept { return kraken_ws_event_socket(raw_); }
  /// See `kraken_ws_event_socket_id`.
  std::string_view socket_id() const noexcept { return detail::view(kraken_ws_event_socket_id(raw_)); }
  /// See `kraken_ws_event_namespace`.
  std::string_view nsp() const noexcept { return detail::view(kraken_ws_event_namespace(raw_)); }
  /// See `kraken_ws_event_name`.
  std::string_view name() const noexcept { return detail::view(kraken_ws_event_name(raw_)); }
  /// See `kraken_ws_event_arg_count`.
  std::size_t arg_count() const noexcept { return kraken_ws_event_arg_count(raw_); }
  /// JSON text, empty beyond the last.
  std::string_view arg(std::size_t at) const noexcept { return detail::view(kraken_ws_event_arg(raw_, at)); }
  /// See `kraken_ws_event_attachment_count`.
  std::size_t attachment_count() const noexcept { return kraken_ws_event_attachment_count(raw_); }
  /// See `kraken_ws_event_attachment`.
  bytes_view attachment(std::size_t at) const noexcept {
    kraken_ws_bytes bytes = kraken_ws_event_attachment(raw_, at);
    return {bytes.ptr, bytes.len};
  }
  /// See `kraken_ws_event_ack_id`.
  std::uint64_t ack_id() const noexcept { return kraken_ws_event_ack_id(raw_); }
  /// See `kraken_ws_event_timed_out`.
  bool timed_out() const noexcept { return kraken_ws_event_timed_out(raw_); }
  /// See `kraken_ws_event_expected`.
  std::size_t expected() const noexcept { return kraken_ws_event_expected(raw_); }
  /// See `kraken_ws_event_reason_text`.
  std::string_view reason() const noexcept { return detail::view(kraken_ws_event_reason_text(raw_)); }
  /// See `kraken_ws_event_auth`.
  std::string_view auth() const noexcept { return detail::view(kraken_ws_event_auth(raw_)); }
  /// See `kraken_ws_event_address`.
  std::string_view address() const noexcept { return detail::view(kraken_ws_event_address(raw_)); }
  /// See `kraken_ws_event_method`.
  std::string_view method() const noexcept { return detail::view(kraken_ws_event_method(raw_)); }
  /// See `kraken_ws_event_url`.
  std::string_view url() const noexcept { return detail::view(kraken_ws_event_url(raw_)); }
  /// See `kraken_ws_event_header`.
  std::string_view header(std::string_view name) const noexcept {
    return detail::view(kraken_ws_event_header(raw_, detail::str(name)));
  }
  /// See `kraken_ws_event_wants_ack`.
  bool wants_ack() const noexcept { return kraken_ws_event_wants_ack(raw_); }
  /// See `kraken_ws_event_is_pending`.
  bool is_pending() const noexcept { return kraken_ws_event_is_pending(raw_); }
  /// See `kraken_ws_event_missing`.
  std::size_t missing() const noexcept { return kraken_ws_event_missing(raw_); }
  /// The name of a node that did not answer, empty beyond the last known one.
  std::string_view missing_node(std::size_t at) const noexcept {
    return detail::view(kraken_ws_event_missing_node(raw_, at));
  }
  /// See `kraken_ws_event_cluster_change`.
  kraken_ws_cluster_change cluster_change() const noexcept { return kraken_ws_event_cluster_change(raw_); }
  /// See `kraken_ws_event_lost`.
  std::uint64_t lost() const noexcept { return kraken_ws_event_lost(raw_); }
  /// See `kraken_ws_event_room`.
  std::string_view room() const noexcept { return detail::view(kraken_ws_event_room(raw_)); }
  /// See `kraken_ws_event_room_change`.
  kraken_ws_room_change room_change() const noexcept { return kraken_ws_event_room_change(raw_); }

  /// See `kraken_ws_ack`.
  void ack(std::string_view payload = {}, std::uint32_t flags = 0) const {
    detail::check(kraken_ws_ack(raw_, detail::str(payload), nullptr, 0, flags));
  }
  /// See `kraken_ws_connect_accept`.
  void accept() const { detail::check(kraken_ws_connect_accept(raw_)); }
  /// See `kraken_ws_connect_reject`.
  void reject(std::string_view error = {}) const {
    detail::check(kraken_ws_connect_reject(raw_, detail::str(error)));
  }
  /// Lets a request go on. `headers`: name, value, name, value, ...
  void allow(const std::vector<std::string_view> &headers = {}) const {
    auto list = detail::strs(headers);
    detail::check(kraken_ws_request_allow(raw_, list.data(), list.size()));
  }
  /// See `kraken_ws_request_refuse`.
  void refuse(std::string_view message = {}) const {
    detail::check(kraken_ws_request_refuse(raw_, detail::str(message)));
  }
  /// `headers` as in allow.
  void reply(std::uint16_t status, const std::vector<std::string_view> &headers, std::string_view body) const {
    auto list = detail::strs(headers);
    detail::check(
        kraken_ws_http_reply(raw_, status, list.data(), list.size(), kraken_ws_buffer(body.data(), body.size())));
  }

 protected:
  /// Null in an event that was moved from.
  const kraken_ws_event *raw_;
};

/// An event that is kept.
class event : public event_view {
 public:
  /// See `kraken_ws_event_retain`.
  explicit event(const event_view &other) noexcept : event_view(kraken_ws_event_retain(other.raw())) {}
  /// See `kraken_ws_event_retain`.
  event(const event &other) noexcept : event_view(kraken_ws_event_retain(other.raw_)) {}
  /// Takes over what the other kept.
  event(event &&other) noexcept : event_view(std::exchange(other.raw_, nullptr)) {}
  /// Lets go of what was kept before.
  event &operator=(event other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  /// See `kraken_ws_event_free`.
  ~event() { kraken_ws_event_free(const_cast<kraken_ws_event *>(raw_)); }
  /// Takes over an event of kraken_ws_poll.
  static event adopt(kraken_ws_event *raw) noexcept {
    event out{event_view(nullptr)};
    out.raw_ = raw;
    return out;
  }
};

/// What a handler answers: yes, no, or through the event, now or later.
enum class decision : std::int32_t { accept = KRAKEN_WS_ACCEPT, reject = KRAKEN_WS_REJECT, later = KRAKEN_WS_LATER };

/// Handlers of a server; all run on one thread of the library. See kraken_ws_callbacks.
struct handlers {
  /// See kraken_ws_callbacks::on_connect.
  std::function<decision(const event_view &)> on_connect;
  /// See kraken_ws_callbacks::on_event.
  std::function<void(const event_view &)> on_event;
  /// See kraken_ws_callbacks::on_disconnect.
  std::function<void(const event_view &)> on_disconnect;
  /// See kraken_ws_callbacks::on_ack.
  std::function<void(const event_view &)> on_ack;
  /// See kraken_ws_callbacks::on_http.
  std::function<void(const event_view &)> on_http;
  /// See kraken_ws_callbacks::on_log.
  std::function<void(std::int32_t level, std::string_view line)> on_log;
  /// See kraken_ws_callbacks::on_allow_request.
  std::function<decision(const event_view &)> on_allow_request;
  /// See kraken_ws_callbacks::on_headers.
  std::function<void(const event_view &)> on_headers;
  /// See kraken_ws_callbacks::on_engine.
  std::function<decision(const event_view &)> on_engine;
  /// See kraken_ws_callbacks::on_room.
  std::function<void(const event_view &)> on_room;
  /// See kraken_ws_callbacks::on_server_side.
  std::function<void(const event_view &)> on_server_side;
  /// See kraken_ws_callbacks::on_cluster.
  std::function<void(const event_view &)> on_cluster;
  /// See kraken_ws_callbacks::on_session_end.
  std::function<void(const event_view &)> on_session_end;
  /// What another handler threw; must not throw itself.
  std::function<void(std::exception_ptr)> on_exception;
};

/// Options of a server to be.
class options {
 public:
  /// See `kraken_ws_options_new`.
  options() : raw_(kraken_ws_options_new()) {}
  /// From a JSON object with the names of docs/options.md.
  explicit options(std::string_view json) : options() { set_json(json); }
  /// See `kraken_ws_options_set_json`.
  options &set_json(std::string_view json) {
    detail::check(kraken_ws_options_set_json(raw_.get(), detail::str(json)));
    return *this;
  }
  /// `value` is JSON.
  options &set(std::string_view name, std::string_view value) {
    detail::check(kraken_ws_options_set(raw_.get(), detail::str(name), detail::str(value)));
    return *this;
  }
  /// See `kraken_ws_options_set_text`.
  options &set_text(std::string_view name, std::string_view value) {
    detail::check(kraken_ws_options_set_text(raw_.get(), detail::str(name), detail::str(value)));
    return *this;
  }
  /// For servers without handlers: connects wait for accept or reject.
  options &decide_connects(bool decide) {
    detail::check(kraken_ws_options_decide_connects(raw_.get(), decide));
    return *this;
  }
  /// For functions of the C interface.
  const kraken_ws_options *raw() const noexcept { return raw_.get(); }

 private:
  struct deleter {
    void operator()(kraken_ws_options *raw) const noexcept { kraken_ws_options_free(raw); }
  };
  std::unique_ptr<kraken_ws_options, deleter> raw_;
};

/// A server; it is shut down and freed with the object.
class server {
 public:
  /// Without handlers the host polls.
  explicit server(const options &with = options()) { detail::check(kraken_ws_server_new(with.raw(), nullptr, &raw_)); }

  /// With handlers, which live as long as the server needs them: see `kraken_ws_callbacks`.
  server(const options &with, handlers functions) {
    kraken_ws_callbacks table{};
    table.size = sizeof table;
    if (functions.on_connect) table.on_connect = decide<&handlers::on_connect>;
    if (functions.on_event) table.on_event = call<&handlers::on_event>;
    if (functions.on_disconnect) table.on_disconnect = call<&handlers::on_disconnect>;
    if (functions.on_ack) table.on_ack = call<&handlers::on_ack>;
    if (functions.on_http) table.on_http = call<&handlers::on_http>;
    if (functions.on_log) table.on_log = log;
    if (functions.on_allow_request) table.on_allow_request = decide<&handlers::on_allow_request>;
    if (functions.on_headers) table.on_headers = call<&handlers::on_headers>;
    if (functions.on_engine) table.on_engine = decide<&handlers::on_engine>;
    if (functions.on_room) table.on_room = call<&handlers::on_room>;
    if (functions.on_server_side) table.on_server_side = call<&handlers::on_server_side>;
    if (functions.on_cluster) table.on_cluster = call<&handlers::on_cluster>;
    if (functions.on_session_end) table.on_session_end = call<&handlers::on_session_end>;
    table.userdata = new handlers(std::move(functions));
    table.drop = [](void *userdata) { delete static_cast<handlers *>(userdata); };
    detail::check(kraken_ws_server_new(with.raw(), &table, &raw_));
  }

  /// Takes over the other server.
  server(server &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  /// Swaps the two.
  server &operator=(server &&other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  /// A server is one.
  server(const server &) = delete;
  /// A server is one.
  server &operator=(const server &) = delete;
  /// See `kraken_ws_server_free`.
  ~server() { kraken_ws_server_free(raw_); }

  /// For functions of the C interface.
  kraken_ws_server *raw() const noexcept { return raw_; }

  /// Returns the port that was bound.
  std::uint16_t listen(std::string_view host, std::uint16_t port) {
    detail::check(kraken_ws_server_listen(raw_, detail::str(host), port, &port));
    return port;
  }
  /// See `kraken_ws_server_listen_unix`.
  void listen_unix(std::string_view path) { detail::check(kraken_ws_server_listen_unix(raw_, detail::str(path))); }
  /// See `kraken_ws_server_stop_listening`.
  void stop_listening() { detail::check(kraken_ws_server_stop_listening(raw_)); }
  /// See `kraken_ws_server_shutdown`.
  void shutdown(std::uint32_t deadline_ms) { detail::check(kraken_ws_server_shutdown(raw_, deadline_ms)); }
  /// See `kraken_ws_namespace_create`.
  void create_namespace(std::string_view name) { detail::check(kraken_ws_namespace_create(raw_, detail::str(name))); }
  /// Makes it the server of kraken_ws_send_to_room and kraken_ws_send_to_all.
  void set_process_wide() { detail::check(kraken_ws_set_server(raw_)); }

  /// See `kraken_ws_server_send_to_room`. `payload` is JSON.
  void send_to_room(std::string_view room, std::string_view name, std::string_view payload = {}) {
    detail::check(try_send_to_room(room, name, payload));
  }
  /// See `kraken_ws_server_send_to_all`. `payload` is JSON.
  void send_to_all(std::string_view name, std::string_view payload = {}) { detail::check(try_send_to_all(name, payload)); }
  /// `send_to_room` that returns the status.
  kraken_ws_status try_send_to_room(std::string_view room, std::string_view name, std::string_view payload) noexcept {
    return kraken_ws_server_send_to_room(raw_, detail::str(room), detail::str(name), detail::str(payload));
  }
  /// `send_to_all` that returns the status.
  kraken_ws_status try_send_to_all(std::string_view name, std::string_view payload) noexcept {
    return kraken_ws_server_send_to_all(raw_, detail::str(name), detail::str(payload));
  }
  /// See `kraken_ws_publish`.
  void publish(const target &whom, std::string_view name, std::string_view payload = {}) {
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_publish(raw_, &t, detail::str(name), detail::str(payload), nullptr, 0);
    });
  }
  /// The number of the ack that handlers::on_ack gets.
  std::uint64_t publish_with_ack(const target &whom, std::string_view name, std::string_view payload,
                                 std::uint32_t timeout_ms) {
    std::uint64_t id = 0;
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_publish_with_ack(raw_, &t, detail::str(name), detail::str(payload), nullptr, 0, timeout_ms, &id);
    });
    return id;
  }
  /// See `kraken_ws_socket_emit`.
  void emit_to(kraken_ws::socket whom, std::string_view name, std::string_view payload = {}, std::uint32_t flags = 0) {
    detail::check(kraken_ws_socket_emit(raw_, whom, detail::str(name), detail::str(payload), nullptr, 0, flags));
  }
  /// See `kraken_ws_socket_emit_with_ack`. The number of the ack that handlers::on_ack gets.
  std::uint64_t emit_with_ack(kraken_ws::socket whom, std::string_view name, std::string_view payload,
                              std::uint32_t timeout_ms, std::uint32_t flags = 0) {
    std::uint64_t id = 0;
    detail::check(kraken_ws_socket_emit_with_ack(raw_, whom, detail::str(name), detail::str(payload), nullptr, 0, flags,
                                                 timeout_ms, &id));
    return id;
  }
  /// See `kraken_ws_socket_join`.
  void join(kraken_ws::socket who, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::check(kraken_ws_socket_join(raw_, who, list.data(), list.size()));
  }
  /// See `kraken_ws_socket_leave`.
  void leave(kraken_ws::socket who, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::check(kraken_ws_socket_leave(raw_, who, list.data(), list.size()));
  }
  /// See `kraken_ws_socket_disconnect`.
  void disconnect(kraken_ws::socket who, bool close = false) {
    detail::check(kraken_ws_socket_disconnect(raw_, who, close));
  }
  /// See `kraken_ws_sockets_join`.
  void sockets_join(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_sockets_join(raw_, &t, list.data(), list.size()); });
  }
  /// See `kraken_ws_sockets_leave`.
  void sockets_leave(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_sockets_leave(raw_, &t, list.data(), list.size()); });
  }
  /// See `kraken_ws_disconnect_sockets`.
  void disconnect_sockets(const target &whom, bool close = false) {
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_disconnect_sockets(raw_, &t, close); });
  }
  /// See `kraken_ws_count_sockets`.
  std::size_t count_sockets(const target &whom = {}) {
    std::size_t count = 0;
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_count_sockets(raw_, &t, &count); });
    return count;
  }
  /// See `kraken_ws_has_room`.
  bool has_room(std::string_view room, std::string_view nsp = {}) {
    bool has = false;
    detail::check(kraken_ws_has_room(raw_, detail::str(nsp), detail::str(room), &has));
    return has;
  }
  /// See `kraken_ws_server_stats`.
  kraken_ws_stats stats() {
    kraken_ws_stats out{};
    out.size = sizeof out;
    detail::check(kraken_ws_server_stats(raw_, &out));
    return out;
  }
  /// `cluster` is the JSON object of the option of that name.
  void join_cluster(std::string_view cluster) { detail::check(kraken_ws_server_join_cluster(raw_, detail::str(cluster))); }
  /// Servers of the fleet, this one included.
  std::size_t server_count(std::string_view nsp = {}) {
    std::size_t count = 0;
    detail::check(kraken_ws_server_count(raw_, detail::str(nsp), &count));
    return count;
  }
  /// See `kraken_ws_server_side_emit`.
  void server_side_emit(std::string_view name, std::string_view payload = {}, std::string_view nsp = {}) {
    detail::check(
        kraken_ws_server_side_emit(raw_, detail::str(nsp), detail::str(name), detail::str(payload), nullptr, 0, 0));
  }
  /// The number of the ack that handlers::on_ack gets.
  std::uint64_t server_side_emit_with_ack(std::string_view name, std::string_view payload, std::uint32_t timeout_ms,
                                          std::string_view nsp = {}) {
    std::uint64_t id = 0;
    detail::check(kraken_ws_server_side_emit_with_ack(raw_, detail::str(nsp), detail::str(name), detail::str(payload),
                                                      nullptr, 0, 0, timeout_ms, &id));
    return id;
  }
  /// See `kraken_ws_server_cluster_stats`.
  kraken_ws_cluster_stats cluster_stats() {
    kraken_ws_cluster_stats out{};
    out.size = sizeof out;
    detail::check(kraken_ws_server_cluster_stats(raw_, &out));
    return out;
  }
  /// See `kraken_ws_module_load`.
  void load_module(const std::string &path, const std::vector<const char *> &args = {}) {
    detail::check(kraken_ws_module_load(raw_, detail::str(path), static_cast<int>(args.size()), args.data()));
  }
  /// See `kraken_ws_module_unload`.
  void unload_module(std::string_view name) { detail::check(kraken_ws_module_unload(raw_, detail::str(name))); }

  /// Without handlers: the events that are there, or come within timeout_ms (negative: no limit). Throws with CLOSED
  /// after the last.
  std::vector<event> poll(std::size_t max, std::int32_t timeout_ms) {
    std::vector<kraken_ws_event *> raw(max);
    std::vector<event> out;
    std::size_t count = 0;
    out.reserve(max);
    detail::check(kraken_ws_poll(raw_, raw.data(), max, timeout_ms, &count));
    for (std::size_t i = 0; i < count; i++) out.push_back(event::adopt(raw[i]));
    return out;
  }
  /// See `kraken_ws_event_fd`.
  int event_fd() {
    std::int32_t fd = -1;
    detail::check(kraken_ws_event_fd(raw_, &fd));
    return fd;
  }

 private:
  template <class Call>
  static bool guard(const handlers &functions, Call call) noexcept {
    try {
      call();
      return true;
    } catch (...) {
      if (functions.on_exception) functions.on_exception(std::current_exception());
      return false;
    }
  }

  template <std::function<void(const event_view &)> handlers::*Handler>
  static void call(void *userdata, const kraken_ws_event *raw) {
    const auto &functions = *static_cast<const handlers *>(userdata);
    guard(functions, [&] { (functions.*Handler)(event_view(raw)); });
  }

  template <std::function<decision(const event_view &)> handlers::*Handler>
  static std::int32_t decide(void *userdata, const kraken_ws_event *raw) {
    const auto &functions = *static_cast<const handlers *>(userdata);
    auto answer = decision::reject;
    guard(functions, [&] { answer = (functions.*Handler)(event_view(raw)); });
    return static_cast<std::int32_t>(answer);
  }

  static void log(void *userdata, std::int32_t level, kraken_ws_str line) {
    const auto &functions = *static_cast<const handlers *>(userdata);
    guard(functions, [&] { functions.on_log(level, detail::view(line)); });
  }

  kraken_ws_server *raw_ = nullptr;
};

/// Sends to a fleet from a program without clients; what waits goes out before the object does.
class emitter {
 public:
  /// `cluster` is the JSON object of the option of that name.
  explicit emitter(std::string_view cluster) { detail::check(kraken_ws_emitter_new(detail::str(cluster), &raw_)); }
  /// Takes over the other emitter.
  emitter(emitter &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  /// Swaps the two.
  emitter &operator=(emitter &&other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  /// An emitter is one.
  emitter(const emitter &) = delete;
  /// An emitter is one.
  emitter &operator=(const emitter &) = delete;
  /// See `kraken_ws_emitter_free`.
  ~emitter() { kraken_ws_emitter_free(raw_); }

  /// For functions of the C interface.
  kraken_ws_emitter *raw() const noexcept { return raw_; }

  /// See `kraken_ws_emitter_publish`.
  void publish(const target &whom, std::string_view name, std::string_view payload = {}) {
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_publish(raw_, &t, detail::str(name), detail::str(payload), nullptr, 0);
    });
  }
  /// See `kraken_ws_emitter_sockets_join`.
  void sockets_join(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_sockets_join(raw_, &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_emitter_sockets_leave`.
  void sockets_leave(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_sockets_leave(raw_, &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_emitter_disconnect_sockets`.
  void disconnect_sockets(const target &whom, bool close = false) {
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_emitter_disconnect_sockets(raw_, &t, close); });
  }
  /// See `kraken_ws_emitter_server_side_emit`.
  void server_side_emit(std::string_view name, std::string_view payload = {}, std::string_view nsp = {}) {
    detail::check(kraken_ws_emitter_server_side_emit(raw_, detail::str(nsp), detail::str(name), detail::str(payload),
                                                     nullptr, 0, 0));
  }
  /// Waits until Redis has confirmed all that was sent so far.
  void flush(std::uint32_t timeout_ms) { detail::check(kraken_ws_emitter_flush(raw_, timeout_ms)); }
  /// See `kraken_ws_emitter_stats`.
  kraken_ws_cluster_stats stats() {
    kraken_ws_cluster_stats out{};
    out.size = sizeof out;
    detail::check(kraken_ws_emitter_stats(raw_, &out));
    return out;
  }

 private:
  kraken_ws_emitter *raw_ = nullptr;
};

}  // namespace kraken_ws

#endif
