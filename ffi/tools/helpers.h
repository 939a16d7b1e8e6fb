/** What a module exports under the name kraken_ws_module_on_load: returns 0 if it wants to be loaded. */
typedef kraken_ws_status (*kraken_ws_module_on_load_fn)(kraken_ws_module *module, const kraken_ws_api *api, int argc,
                                                        const char *const *argv);

/** Stands before the kraken_ws_module_on_load of a module. */
#if defined(_WIN32)
#define KRAKEN_WS_MODULE_EXPORT __declspec(dllexport)
#else
#define KRAKEN_WS_MODULE_EXPORT __attribute__((visibility("default")))
#endif

/** A C string as kraken_ws_str; null is the empty text. */
static inline kraken_ws_str kraken_ws_cstr(const char *text) {
  kraken_ws_str str;
  str.ptr = text;
  str.len = text ? strlen(text) : 0;
  return str;
}

/** A buffer as kraken_ws_bytes. */
static inline kraken_ws_bytes kraken_ws_buffer(const void *data, size_t len) {
  kraken_ws_bytes bytes;
  bytes.ptr = (const uint8_t *)data;
  bytes.len = len;
  return bytes;
}

/** The name of a room, `kraken_ws_room(buf, sizeof buf, KRAKEN_WS_ROOM_CHANNEL, id)` for instance; empty if it does not
 *  fit into `buf`, which holds it. */
static inline kraken_ws_str kraken_ws_room(char *buf, size_t size, const char *prefix, kraken_ws_str id) {
  size_t start = strlen(prefix);
  kraken_ws_str room;
  room.ptr = buf;
  room.len = 0;
  if (start <= size && id.len <= size - start) {
    memcpy(buf, prefix, start);
    if (id.len > 0) memcpy(buf + start, id.ptr, id.len);
    room.len = start + id.len;
  }
  return room;
}
