// chat_host.c in C++17, with kraken_ws.hpp: the demo's page and the events that it needs.
//
//   chat_host_cpp PORT PUBLIC_FOLDER CLIENT_BUNDLE [MODULE [ARGUMENT...]]
//
// All handlers run on one thread, so the state needs no lock.
#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "json.h"
#include "kraken_ws.hpp"

namespace {

using kraken_ws::event_view;
using std::string;
using std::string_view;

const std::vector<string> text_channels{"general", "engineering", "random"};
const std::vector<string> voice_channels{"lounge", "standup"};
constexpr size_t history_length = 50;

/// A client's mistake: its message goes back to that client.
struct bad_input : std::runtime_error {
  using runtime_error::runtime_error;
};

struct member {
  string id, name, voice;
  bool muted = false;
};

string_view field(string_view object, const char *name) {
  kraken_ws_str found = json_member({object.data(), object.size()}, name);
  return {found.ptr, found.len};
}

/// A short text that needs no escapes.
string plain(string_view json, const char *what) {
  char out[96];
  if (!json_plain({json.data(), json.size()}, out, sizeof out)) throw bad_input(string(what) + ": expected a short text");
  return out;
}

/// Any text, as JSON.
string_view content_of(string_view payload) {
  string_view content = field(payload, "content");
  if (content.size() < 3 || content[0] != '"') throw bad_input("content: expected a string");
  if (content.size() > 4000) throw bad_input("content: too long");
  return content;
}

string channel_of(string_view payload, const std::vector<string> &channels) {
  string id = plain(field(payload, "channelId"), "channelId");
  if (std::find(channels.begin(), channels.end(), id) == channels.end()) throw bad_input("channelId: no such channel");
  return id;
}

string quoted(string_view text) { return '"' + string(text) + '"'; }
string user_json(const member &m) { return R"({"id":")" + m.id + R"(","name":")" + m.name + "\"}"; }
string online_json(const member &m) {
  return R"({"userId":")" + m.id + R"(","name":")" + m.name + R"(","idle":false})";
}
string voice_json(const member &m) {
  return R"({"channelId":")" + m.voice + R"(","userId":")" + m.id + R"(","name":")" + m.name + R"(","muted":)" +
         (m.muted ? "true}" : "false}");
}

string now() {
  char text[32];
  std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
  return text;
}

string joined(const std::vector<string> &items) {
  string out;
  for (const auto &item : items) out += (out.empty() ? "" : ",") + item;
  return '[' + out + ']';
}

class chat {
 public:
  chat(string folder, string bundle) : folder_(std::move(folder)), bundle_(std::move(bundle)) {}

  kraken_ws::handlers handlers() {
    kraken_ws::handlers out;
    out.on_connect = [this](const event_view &event) { return connect(event); };
    out.on_event = [this](const event_view &event) { message(event); };
    out.on_disconnect = [this](const event_view &event) { disconnect(event); };
    out.on_http = [this](const event_view &event) { page(event); };
    out.on_exception = [](std::exception_ptr thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception &e) {
        std::cerr << e.what() << '\n';
      }
    };
    return out;
  }

  void run_on(kraken_ws::server &server) { server_ = &server; }

 private:
  kraken_ws::decision connect(const event_view &event) {
    member m;
    try {
      m.name = plain(field(event.auth(), "name"), "name");
    } catch (const bad_input &e) {
      event.reject(R"({"message":"AUTH_FAILED","data":{"message":)" + quoted(e.what()) + "}}");
      return kraken_ws::decision::later;
    }
    for (char c : m.name) m.id += c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    server_->socket_join(event.socket(), {KRAKEN_WS_ROOM_USER + m.id});
    event.accept();
    bool first = connections(m.id) == 0;
    members_[event.socket()] = m;
    if (first) server_->try_send_to_all(KRAKEN_WS_SERVER_EVENT_USER_ONLINE, online_json(m));
    return kraken_ws::decision::later;
  }

  void message(const event_view &event) {
    try {
      string answer = handle(event, members_.at(event.socket()), event.arg(0));
      if (event.wants_ack()) event.ack(R"({"ok":true)" + answer + '}');
    } catch (const bad_input &e) {
      string what = quoted(e.what());
      server_->socket_emit(event.socket(), KRAKEN_WS_SERVER_EVENT_ERROR, R"({"message":)" + what + '}');
      if (event.wants_ack()) event.ack(R"({"ok":false,"error":)" + what + '}');
    }
  }

  /// Returns members of the ack, each with a comma before it.
  string handle(const event_view &event, member &m, string_view payload) {
    string_view name = event.name();
    if (name == KRAKEN_WS_CLIENT_EVENT_JOIN_ALL) return join_all(event.socket(), m);
    if (name == KRAKEN_WS_CLIENT_EVENT_JOIN_ROOM || name == KRAKEN_WS_CLIENT_EVENT_LEAVE_ROOM) {
      string room = plain(payload, "room");
      bool channel = room.rfind(KRAKEN_WS_ROOM_CHANNEL, 0) == 0;
      if (!channel && room.rfind(KRAKEN_WS_ROOM_PRESENCE, 0) != 0) throw bad_input("room: can't be joined by request");
      string answer = R"(,"room":)" + quoted(room);
      if (name == KRAKEN_WS_CLIENT_EVENT_LEAVE_ROOM) {
        server_->socket_leave(event.socket(), {room});
        return answer;
      }
      server_->socket_join(event.socket(), {room});
      const auto &kept = history_[room];
      return channel ? answer + R"(,"messages":)" + joined({kept.begin(), kept.end()}) : answer;
    }
    if (name == KRAKEN_WS_CLIENT_EVENT_SEND_MESSAGE) {
      string channel = channel_of(payload, text_channels), room = KRAKEN_WS_ROOM_CHANNEL + channel;
      string_view content = content_of(payload);
      string id = "c-" + std::to_string(++serial_), at = now();
      string text = R"({"id":")" + id + R"(","channelId":")" + channel + R"(","author":)" + user_json(m) + R"(,"content":)" +
                    string(content) + R"(,"sentAt":")" + at + "\"}";
      server_->send_to_room(room, KRAKEN_WS_SERVER_EVENT_NEW_MESSAGE, text);
      auto &kept = history_[room];
      kept.push_back(text);
      if (kept.size() > history_length) kept.pop_front();
      return R"(,"id":)" + quoted(id) + R"(,"sentAt":)" + quoted(at);
    }
    if (name == KRAKEN_WS_CLIENT_EVENT_SEND_DM) {
      string to = plain(field(payload, "to"), "to"), id = "c-" + std::to_string(++serial_), at = now();
      auto peer = std::find_if(members_.begin(), members_.end(), [&](const auto &entry) { return entry.second.id == to; });
      if (peer == members_.end()) throw bad_input("to: nobody here is called that");
      string text = R"({"id":")" + id + R"(","author":)" + user_json(m) + R"(,"to":)" + user_json(peer->second) +
                    R"(,"content":)" + string(content_of(payload)) + R"(,"sentAt":")" + at + "\"}";
      server_->publish({{KRAKEN_WS_ROOM_USER + to, KRAKEN_WS_ROOM_USER + m.id}, {}, {}, 0}, KRAKEN_WS_SERVER_EVENT_NEW_DM, text);
      return R"(,"id":)" + quoted(id) + R"(,"sentAt":)" + quoted(at);
    }
    if (name == KRAKEN_WS_CLIENT_EVENT_TYPING_START || name == KRAKEN_WS_CLIENT_EVENT_TYPING_STOP) {
      string channel = channel_of(payload, text_channels), room = KRAKEN_WS_ROOM_CHANNEL + channel;
      string on = name == KRAKEN_WS_CLIENT_EVENT_TYPING_START ? "true" : "false";
      server_->publish({{room}, {event.socket_id()}, {}, 0}, KRAKEN_WS_SERVER_EVENT_USER_TYPING,
                       R"({"channelId":")" + channel + R"(","userId":")" + m.id + R"(","name":")" + m.name +
                           R"(","isTyping":)" + on + '}');
    } else if (name == KRAKEN_WS_CLIENT_EVENT_VOICE_CHANNEL_JOIN) {
      string channel = channel_of(payload, voice_channels);
      leave_voice(event.socket(), m);
      m.voice = channel;
      m.muted = field(payload, "muted") == "true";
      server_->socket_join(event.socket(), {KRAKEN_WS_ROOM_VOICE + channel});
      announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_JOINED);
      return R"(,"channelId":)" + quoted(channel) + R"(,"muted":)" + (m.muted ? "true" : "false");
    } else if (name == KRAKEN_WS_CLIENT_EVENT_VOICE_CHANNEL_LEAVE) {
      leave_voice(event.socket(), m);
    } else if (name == KRAKEN_WS_CLIENT_EVENT_VOICE_STATE_UPDATE) {
      if (m.voice.empty()) throw bad_input("not in a voice channel");
      m.muted = field(payload, "muted") == "true";
      announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_UPDATED);
    }
    return "";
  }

  string join_all(kraken_ws::socket socket, const member &m) {
    std::vector<string> rooms{KRAKEN_WS_ROOM_COMMUNITY "kraken"}, channels, online, voice;
    for (const auto &id : text_channels) {
      rooms.push_back(KRAKEN_WS_ROOM_CHANNEL + id);
      channels.push_back(R"({"id":")" + id + R"(","name":")" + id + R"(","kind":"text","topic":""})");
    }
    for (const auto &id : voice_channels)
      channels.push_back(R"({"id":")" + id + R"(","name":")" + id + R"(","kind":"voice"})");
    server_->socket_join(socket, {rooms.begin(), rooms.end()});
    for (const auto &[other, who] : members_) {
      (void)other;
      online.push_back(online_json(who));
      if (!who.voice.empty()) voice.push_back(voice_json(who));
    }
    return R"(,"me":)" + user_json(m) + R"(,"community":{"id":"kraken","name":"Kraken","channels":)" + joined(channels) +
           R"(},"threads":[],"online":)" + joined(online) + R"(,"voice":)" + joined(voice);
  }

  void disconnect(const event_view &event) {
    auto entry = members_.find(event.socket());
    if (entry == members_.end()) return;
    leave_voice(event.socket(), entry->second);
    member m = entry->second;
    members_.erase(entry);
    // When the server shuts down there is nobody left to tell.
    if (connections(m.id) == 0) server_->try_send_to_all(KRAKEN_WS_SERVER_EVENT_USER_OFFLINE, online_json(m));
  }

  void announce_voice(const member &m, string_view event) {
    server_->try_send_to_room(KRAKEN_WS_ROOM_COMMUNITY "kraken", event, voice_json(m));
  }

  void leave_voice(kraken_ws::socket socket, member &m) {
    if (m.voice.empty()) return;
    announce_voice(m, KRAKEN_WS_SERVER_EVENT_VOICE_CHANNEL_USER_LEFT);
    string room = KRAKEN_WS_ROOM_VOICE + m.voice;
    m.voice.clear();
    kraken_ws_str gone = kraken_ws_cstr(room.c_str());
    kraken_ws_server_socket_leave(server_->raw(), socket, &gone, 1);
  }

  size_t connections(const string &id) const {
    return static_cast<size_t>(
        std::count_if(members_.begin(), members_.end(), [&](const auto &entry) { return entry.second.id == id; }));
  }

  /// Files of the page. Only plain names below the folder can be asked for; what is not answered gets 404.
  void page(const event_view &event) {
    string url(event.url().substr(0, event.url().find('?')));
    for (char c : url)
      if (!std::isalnum(static_cast<unsigned char>(c)) && !std::strchr("/-_.", c)) return;
    if (url.find("..") != string::npos) return;
    string path = url == "/" ? folder_ + "/index.html" : url == "/vendor/socket.io.js" ? bundle_ : folder_ + url;
    static const std::map<string, string> types{{"css", "text/css; charset=utf-8"},
                                                {"js", "text/javascript; charset=utf-8"},
                                                {"svg", "image/svg+xml"},
                                                {"html", "text/html; charset=utf-8"}};
    auto type = types.find(path.substr(path.rfind('.') + 1));
    std::ifstream file(path, std::ios::binary);
    if (!file || type == types.end()) return;
    string body{std::istreambuf_iterator<char>(file), {}};
    event.reply(200, {"content-type", type->second}, body);
  }

  string folder_, bundle_;
  kraken_ws::server *server_ = nullptr;
  std::map<kraken_ws::socket, member> members_;
  std::map<string, std::deque<string>> history_;
  unsigned serial_ = 0;
};

}  // namespace

int main(int argc, char **argv) try {
  if (argc < 4) {
    std::cerr << "usage: " << argv[0] << " PORT PUBLIC_FOLDER CLIENT_BUNDLE [MODULE [ARGUMENT...]]\n";
    return 2;
  }
  // Before there are other threads, so that only this one gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  chat chat(argv[2], argv[3]);
  kraken_ws::server server(kraken_ws::options(R"({"maxHttpBufferSize":65536})"), chat.handlers());
  chat.run_on(server);
  if (argc > 4) server.load_module(argv[4], {argv + 5, argv + argc});
  std::cout << "chat: http://127.0.0.1:" << server.listen("127.0.0.1", static_cast<std::uint16_t>(std::stoi(argv[1])))
            << '/' << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  server.close(5000);
  return 0;
} catch (const std::exception &e) {
  std::cerr << e.what() << '\n';
  return 1;
}
