// SPDX-License-Identifier: MIT
/// @file
/// The C++17 interface, header only, over kraken_ws.h.
///
/// A call that fails throws kraken_ws::error. Most failures are mistakes of the program or happen once at start, a
/// constructor has no other way to report one, and C++17 has no std::expected. Calls that fail in normal operation also
/// have a try_ variant that returns the status: try_send_to_room, try_send_to_all.
///
/// Handlers may throw: the exception goes to handlers::on_exception, never through the library, and a connect or request
/// is then refused. A std::string_view is valid as long as the event it comes from; kraken_ws::event keeps an event.
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
  /// `KRAKEN_WS_FLAG_VOLATILE` and the like.
  std::uint32_t flags = 0;
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

template <class Handle, auto Free>
struct deleter {
  void operator()(Handle *raw) const noexcept { Free(raw); }
};

/// A handle of the C interface, freed with the object.
template <class Handle, auto Free>
using owned = std::unique_ptr<Handle, deleter<Handle, Free>>;

/// Reads a struct of figures, which begins with its size.
template <class Stats, class Handle>
Stats read_stats(kraken_ws_status (*read)(Handle *, Stats *), Handle *raw) {
  Stats out{};
  out.size = sizeof out;
  check(read(raw, &out));
  return out;
}

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

  /// See `kraken_ws_event_ack`.
  void ack(std::string_view payload = {}, std::uint32_t flags = 0) const {
    detail::check(kraken_ws_event_ack(raw_, detail::str(payload), nullptr, 0, flags));
  }
  /// See `kraken_ws_event_accept`.
  void accept() const { detail::check(kraken_ws_event_accept(raw_)); }
  /// See `kraken_ws_event_reject`.
  void reject(std::string_view error = {}) const {
    detail::check(kraken_ws_event_reject(raw_, detail::str(error)));
  }
  /// Lets a request go on. `headers`: name, value, name, value, ...
  void allow(const std::vector<std::string_view> &headers = {}) const {
    auto list = detail::strs(headers);
    detail::check(kraken_ws_event_allow(raw_, list.data(), list.size()));
  }
  /// See `kraken_ws_event_refuse`.
  void refuse(std::string_view message = {}) const {
    detail::check(kraken_ws_event_refuse(raw_, detail::str(message)));
  }
  /// `headers` as in allow.
  void reply(std::uint16_t status, const std::vector<std::string_view> &headers, std::string_view body) const {
    auto list = detail::strs(headers);
    detail::check(
        kraken_ws_event_reply(raw_, status, list.data(), list.size(), kraken_ws_buffer(body.data(), body.size())));
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
  /// Takes over an event of kraken_ws_server_poll.
  static event adopt(kraken_ws_event *raw) noexcept {
    event out{event_view(nullptr)};
    out.raw_ = raw;
    return out;
  }
};

/// What a handler answers: yes, no, or through the event, now or later.
enum class decision : std::int32_t {
  accept = KRAKEN_WS_DECISION_ACCEPT,
  reject = KRAKEN_WS_DECISION_REJECT,
  later = KRAKEN_WS_DECISION_LATER,
};

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
  detail::owned<kraken_ws_options, kraken_ws_options_free> raw_;
};

/// A server; it is closed and freed with the object. It can be moved, not copied.
class server {
 public:
  /// Without handlers the host polls.
  explicit server(const options &with = options()) { make(with, nullptr); }

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
    make(with, &table);
  }

  /// For functions of the C interface.
  kraken_ws_server *raw() const noexcept { return raw_.get(); }

  /// Returns the port that was bound.
  std::uint16_t listen(std::string_view host, std::uint16_t port) {
    detail::check(kraken_ws_server_listen(raw(), detail::str(host), port, &port));
    return port;
  }
  /// See `kraken_ws_server_listen_unix`.
  void listen_unix(std::string_view path) { detail::check(kraken_ws_server_listen_unix(raw(), detail::str(path))); }
  /// See `kraken_ws_server_stop_listening`.
  void stop_listening() { detail::check(kraken_ws_server_stop_listening(raw())); }
  /// See `kraken_ws_server_close`.
  void close(std::uint32_t deadline_ms) { detail::check(kraken_ws_server_close(raw(), deadline_ms)); }
  /// See `kraken_ws_server_create_namespace`.
  void create_namespace(std::string_view name) { detail::check(kraken_ws_server_create_namespace(raw(), detail::str(name))); }
  /// Makes it the server of kraken_ws_send_to_room and kraken_ws_send_to_all.
  void set_process_wide() { detail::check(kraken_ws_set_server(raw())); }

  /// See `kraken_ws_server_send_to_room`. `payload` is JSON.
  void send_to_room(std::string_view room, std::string_view name, std::string_view payload = {}) {
    detail::check(try_send_to_room(room, name, payload));
  }
  /// See `kraken_ws_server_send_to_all`. `payload` is JSON.
  void send_to_all(std::string_view name, std::string_view payload = {}) { detail::check(try_send_to_all(name, payload)); }
  /// `send_to_room` that returns the status.
  kraken_ws_status try_send_to_room(std::string_view room, std::string_view name, std::string_view payload) noexcept {
    return kraken_ws_server_send_to_room(raw(), detail::str(room), detail::str(name), detail::str(payload), nullptr, 0);
  }
  /// `send_to_all` that returns the status.
  kraken_ws_status try_send_to_all(std::string_view name, std::string_view payload) noexcept {
    return kraken_ws_server_send_to_all(raw(), detail::str(name), detail::str(payload), nullptr, 0);
  }
  /// See `kraken_ws_server_publish`.
  void publish(const target &whom, std::string_view name, std::string_view payload = {}) {
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_server_publish(raw(), &t, detail::str(name), detail::str(payload), nullptr, 0);
    });
  }
  /// The number of the ack that handlers::on_ack gets.
  std::uint64_t publish_with_ack(const target &whom, std::string_view name, std::string_view payload,
                                 std::uint32_t timeout_ms) {
    std::uint64_t id = 0;
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_server_publish_with_ack(raw(), &t, detail::str(name), detail::str(payload), nullptr, 0, timeout_ms,
                                               &id);
    });
    return id;
  }
  /// See `kraken_ws_server_socket_emit`.
  void socket_emit(kraken_ws::socket whom, std::string_view name, std::string_view payload = {}, std::uint32_t flags = 0) {
    detail::check(kraken_ws_server_socket_emit(raw(), whom, detail::str(name), detail::str(payload), nullptr, 0, flags));
  }
  /// See `kraken_ws_server_socket_emit_with_ack`. The number of the ack that handlers::on_ack gets.
  std::uint64_t socket_emit_with_ack(kraken_ws::socket whom, std::string_view name, std::string_view payload,
                              std::uint32_t timeout_ms, std::uint32_t flags = 0) {
    std::uint64_t id = 0;
    detail::check(kraken_ws_server_socket_emit_with_ack(raw(), whom, detail::str(name), detail::str(payload), nullptr, 0,
                                                        flags, timeout_ms, &id));
    return id;
  }
  /// See `kraken_ws_server_socket_join`.
  void socket_join(kraken_ws::socket who, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::check(kraken_ws_server_socket_join(raw(), who, list.data(), list.size()));
  }
  /// See `kraken_ws_server_socket_leave`.
  void socket_leave(kraken_ws::socket who, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::check(kraken_ws_server_socket_leave(raw(), who, list.data(), list.size()));
  }
  /// See `kraken_ws_server_socket_disconnect`.
  void socket_disconnect(kraken_ws::socket who, bool close = false) {
    detail::check(kraken_ws_server_socket_disconnect(raw(), who, close));
  }
  /// See `kraken_ws_server_sockets_join`.
  void sockets_join(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_server_sockets_join(raw(), &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_server_sockets_leave`.
  void sockets_leave(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_server_sockets_leave(raw(), &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_server_disconnect_sockets`.
  void disconnect_sockets(const target &whom, bool close = false) {
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_server_disconnect_sockets(raw(), &t, close); });
  }
  /// See `kraken_ws_server_count_sockets`.
  std::size_t count_sockets(const target &whom = {}) {
    std::size_t count = 0;
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_server_count_sockets(raw(), &t, &count); });
    return count;
  }
  /// See `kraken_ws_server_has_room`.
  bool has_room(std::string_view room, std::string_view nsp = {}) {
    bool has = false;
    detail::check(kraken_ws_server_has_room(raw(), detail::str(nsp), detail::str(room), &has));
    return has;
  }
  /// See `kraken_ws_server_stats`.
  kraken_ws_stats stats() { return detail::read_stats(kraken_ws_server_stats, raw()); }
  /// `cluster` is the JSON object of the option of that name.
  void join_cluster(std::string_view cluster) { detail::check(kraken_ws_server_join_cluster(raw(), detail::str(cluster))); }
  /// Nodes of the fleet, this one included.
  std::size_t node_count(std::string_view nsp = {}) {
    std::size_t count = 0;
    detail::check(kraken_ws_server_node_count(raw(), detail::str(nsp), &count));
    return count;
  }
  /// See `kraken_ws_server_side_emit`.
  void server_side_emit(std::string_view name, std::string_view payload = {}, std::string_view nsp = {}) {
    detail::check(
        kraken_ws_server_side_emit(raw(), detail::str(nsp), detail::str(name), detail::str(payload), nullptr, 0, 0));
  }
  /// The number of the ack that handlers::on_ack gets.
  std::uint64_t server_side_emit_with_ack(std::string_view name, std::string_view payload, std::uint32_t timeout_ms,
                                          std::string_view nsp = {}) {
    std::uint64_t id = 0;
    detail::check(kraken_ws_server_side_emit_with_ack(raw(), detail::str(nsp), detail::str(name), detail::str(payload),
                                                      nullptr, 0, 0, timeout_ms, &id));
    return id;
  }
  /// See `kraken_ws_server_cluster_stats`.
  kraken_ws_cluster_stats cluster_stats() { return detail::read_stats(kraken_ws_server_cluster_stats, raw()); }
  /// See `kraken_ws_server_load_module`.
  void load_module(const std::string &path, const std::vector<const char *> &args = {}) {
    detail::check(kraken_ws_server_load_module(raw(), detail::str(path), static_cast<int>(args.size()), args.data()));
  }
  /// See `kraken_ws_server_unload_module`.
  void unload_module(std::string_view name) { detail::check(kraken_ws_server_unload_module(raw(), detail::str(name))); }

  /// Without handlers: the events that are there, or come within timeout_ms (negative: no limit). Throws with CLOSED
  /// after the last.
  std::vector<event> poll(std::size_t max, std::int32_t timeout_ms) {
    std::vector<kraken_ws_event *> polled(max);
    std::vector<event> out;
    std::size_t count = 0;
    out.reserve(max);
    detail::check(kraken_ws_server_poll(raw(), polled.data(), max, timeout_ms, &count));
    for (std::size_t i = 0; i < count; i++) out.push_back(event::adopt(polled[i]));
    return out;
  }
  /// See `kraken_ws_server_event_fd`.
  int event_fd() {
    std::int32_t fd = -1;
    detail::check(kraken_ws_server_event_fd(raw(), &fd));
    return fd;
  }

 private:
  void make(const options &with, const kraken_ws_callbacks *callbacks) {
    kraken_ws_server *made = nullptr;
    detail::check(kraken_ws_server_new(with.raw(), callbacks, &made));
    raw_.reset(made);
  }

  template <class Call>
  static void guard(void *userdata, Call call) noexcept {
    const auto &functions = *static_cast<const handlers *>(userdata);
    try {
      call(functions);
    } catch (...) {
      if (functions.on_exception) functions.on_exception(std::current_exception());
    }
  }

  template <std::function<void(const event_view &)> handlers::*Handler>
  static void call(void *userdata, const kraken_ws_event *raw) {
    guard(userdata, [&](const handlers &functions) { (functions.*Handler)(event_view(raw)); });
  }

  template <std::function<decision(const event_view &)> handlers::*Handler>
  static std::int32_t decide(void *userdata, const kraken_ws_event *raw) {
    auto answer = decision::reject;
    guard(userdata, [&](const handlers &functions) { answer = (functions.*Handler)(event_view(raw)); });
    return static_cast<std::int32_t>(answer);
  }

  static void log(void *userdata, std::int32_t level, kraken_ws_str line) {
    guard(userdata, [&](const handlers &functions) { functions.on_log(level, detail::view(line)); });
  }

  detail::owned<kraken_ws_server, kraken_ws_server_free> raw_;
};

/// Sends to a fleet from a program without clients. Its destructor publishes what still waits. It can be moved, not copied.
class emitter {
 public:
  /// `cluster` is the JSON object of the option of that name.
  explicit emitter(std::string_view cluster) {
    kraken_ws_emitter *made = nullptr;
    detail::check(kraken_ws_emitter_new(detail::str(cluster), &made));
    raw_.reset(made);
  }

  /// For functions of the C interface.
  kraken_ws_emitter *raw() const noexcept { return raw_.get(); }

  /// See `kraken_ws_emitter_publish`.
  void publish(const target &whom, std::string_view name, std::string_view payload = {}) {
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_publish(raw(), &t, detail::str(name), detail::str(payload), nullptr, 0);
    });
  }
  /// See `kraken_ws_emitter_sockets_join`.
  void sockets_join(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_sockets_join(raw(), &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_emitter_sockets_leave`.
  void sockets_leave(const target &whom, const std::vector<std::string_view> &rooms) {
    auto list = detail::strs(rooms);
    detail::with(whom, [&](const kraken_ws_target &t) {
      return kraken_ws_emitter_sockets_leave(raw(), &t, list.data(), list.size());
    });
  }
  /// See `kraken_ws_emitter_disconnect_sockets`.
  void disconnect_sockets(const target &whom, bool close = false) {
    detail::with(whom, [&](const kraken_ws_target &t) { return kraken_ws_emitter_disconnect_sockets(raw(), &t, close); });
  }
  /// See `kraken_ws_emitter_server_side_emit`.
  void server_side_emit(std::string_view name, std::string_view payload = {}, std::string_view nsp = {}) {
    detail::check(kraken_ws_emitter_server_side_emit(raw(), detail::str(nsp), detail::str(name), detail::str(payload),
                                                     nullptr, 0, 0));
  }
  /// Waits until Redis has confirmed all that was sent so far.
  void flush(std::uint32_t timeout_ms) { detail::check(kraken_ws_emitter_flush(raw(), timeout_ms)); }
  /// See `kraken_ws_emitter_stats`.
  kraken_ws_cluster_stats stats() { return detail::read_stats(kraken_ws_emitter_stats, raw()); }

 private:
  detail::owned<kraken_ws_emitter, kraken_ws_emitter_free> raw_;
};

}  // namespace kraken_ws

#endif
