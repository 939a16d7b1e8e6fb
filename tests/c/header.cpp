// The header is C++ too: its functions have C linkage, or this would not link.
#include <cstring>

#include "kraken_ws.h"

int main() { return std::strcmp(kraken_ws_version(), EXPECTED_VERSION); }
