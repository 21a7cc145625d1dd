# cmake --install: headers, library, program, sample and a package for find_package(tillsync).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY storage/include/ engine/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS tillsync_all EXPORT tillsync LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
set_target_properties(tillsync_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
install(TARGETS tillsync_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES tools/sample/week.csv DESTINATION ${CMAKE_INSTALL_DATADIR}/tillsync)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tillsync)
install(EXPORT tillsync NAMESPACE tillsync:: FILE tillsyncTargets.cmake DESTINATION ${package_dir})
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/tillsyncConfig.cmake @ONLY CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(tl-expected)
include(${CMAKE_CURRENT_LIST_DIR}/tillsyncTargets.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tillsyncConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/tillsyncConfig.cmake ${CMAKE_BINARY_DIR}/tillsyncConfigVersion.cmake DESTINATION ${package_dir})
