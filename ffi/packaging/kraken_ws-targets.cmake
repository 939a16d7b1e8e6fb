# The targets of kraken_ws, the same from find_package and from ffi/CMakeLists.txt: kraken_ws::shared, kraken_ws::static,
# and kraken_ws::kraken_ws, which is the shared one.

# kraken_ws_targets(LIBDIR INCLUDEDIR ABI SYSTEM_LIBRARIES [GLOBAL]): GLOBAL makes them known in the whole project.
function(kraken_ws_targets libdir includedir abi system_libraries)
  add_library(kraken_ws::shared SHARED IMPORTED ${ARGN})
  set_target_properties(kraken_ws::shared PROPERTIES
    IMPORTED_LOCATION "${libdir}/libkraken_ws.so.${abi}"
    IMPORTED_SONAME "libkraken_ws.so.${abi}"
    INTERFACE_INCLUDE_DIRECTORIES "${includedir}")

  add_library(kraken_ws::static STATIC IMPORTED ${ARGN})
  set_target_properties(kraken_ws::static PROPERTIES
    IMPORTED_LOCATION "${libdir}/libkraken_ws.a"
    INTERFACE_INCLUDE_DIRECTORIES "${includedir}"
    INTERFACE_LINK_LIBRARIES "${system_libraries}")

  add_library(kraken_ws::kraken_ws INTERFACE IMPORTED ${ARGN})
  set_target_properties(kraken_ws::kraken_ws PROPERTIES INTERFACE_LINK_LIBRARIES kraken_ws::shared)
endfunction()
