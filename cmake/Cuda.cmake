# Looks for a CUDA toolkit; sets SHED_CUDA_FOUND and, with it, makes the target shed_cuda_runtime and
# shed_cuda_object(OUT SOURCE), which compiles one file by nvcc. CMake's own language CUDA links test programs, against
# whatever runtime it finds, and CMake 3.25 knows no C++20 for this nvcc. In this order: SHED_CUDA_ROOT, what tools/install_cuda brought, nvcc on the PATH, /usr/local/cuda.
# Never required: no GPU and no driver are needed to compile.
set(SHED_CUDA_ROOT "" CACHE PATH "A CUDA toolkit: the folder with bin/nvcc, include and lib")
set(SHED_CUDA_FOUND OFF)

set(shed_cuda_roots ${SHED_CUDA_ROOT})
if(NOT SHED_CUDA_ROOT)
  file(GLOB shed_cuda_roots ${PROJECT_SOURCE_DIR}/build/cuda/lib/python3*/site-packages/nvidia/cu*)
  list(APPEND shed_cuda_roots $ENV{CUDA_HOME} /usr/local/cuda)
endif()
find_program(SHED_NVCC nvcc HINTS ${shed_cuda_roots} PATH_SUFFIXES bin)
if(NOT SHED_NVCC)
  message(STATUS "CUDA backends left out: no nvcc (tools/install_cuda, or -DSHED_CUDA_ROOT=...)")
  return()
endif()

get_filename_component(shed_cuda_root ${SHED_NVCC} REALPATH)
get_filename_component(shed_cuda_root ${shed_cuda_root}/../.. ABSOLUTE)
find_path(SHED_CUDA_INCLUDE cuda_runtime.h HINTS ${shed_cuda_root} PATH_SUFFIXES include)
# By its full path: the linker's own search would take another release's from the system.
find_library(SHED_CUDART cudart_static HINTS ${shed_cuda_root} PATH_SUFFIXES lib lib64 lib/x86_64-linux-gnu)
if(NOT SHED_CUDA_INCLUDE OR NOT SHED_CUDART)
  message(STATUS "CUDA backends left out: ${SHED_NVCC} comes without cuda_runtime.h or libcudart_static")
  return()
endif()

# Machine code, not PTX: a driver older than this nvcc could not translate that. sm_80 runs on 8.6 and 8.9, too.
set(SHED_CUDA_ARCHITECTURES "80;90" CACHE STRING "GPUs to compile for: compute capabilities without the point")
set(shed_nvcc_flags -std=c++20 -O3 -I${PROJECT_SOURCE_DIR} -I${SHED_CUDA_INCLUDE})
foreach(architecture IN LISTS SHED_CUDA_ARCHITECTURES)
  list(APPEND shed_nvcc_flags -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()

# An nvcc may refuse the machine's g++; then the build goes on without it.
if(NOT SHED_NVCC_WORKS STREQUAL "${SHED_NVCC} ${shed_nvcc_flags}")
  file(WRITE ${CMAKE_BINARY_DIR}/cuda/probe.cu "#include <cuda_runtime.h>\n__global__ void probe() {}\n")
  execute_process(COMMAND ${SHED_NVCC} ${shed_nvcc_flags} -c probe.cu -o probe.o
                  WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/cuda RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    message(STATUS "CUDA backends left out: ${SHED_NVCC} does not compile here: ${said}")
    return()
  endif()
  set(SHED_NVCC_WORKS "${SHED_NVCC} ${shed_nvcc_flags}" CACHE INTERNAL "nvcc compiled a probe with these")
endif()

function(shed_cuda_object out source)
  get_filename_component(source ${source} ABSOLUTE)
  add_custom_command(OUTPUT ${out} DEPENDS ${source} DEPFILE ${out}.d VERBATIM
                     COMMAND ${SHED_NVCC} ${shed_nvcc_flags} -Xcompiler -fPIC -MD -MF ${out}.d -c ${source} -o ${out})
endfunction()

find_package(Threads REQUIRED)
add_library(shed_cuda_runtime INTERFACE)
target_include_directories(shed_cuda_runtime SYSTEM INTERFACE ${SHED_CUDA_INCLUDE})
target_link_libraries(shed_cuda_runtime INTERFACE ${SHED_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
set(SHED_CUDA_FOUND ON)
message(STATUS "CUDA backends: ${SHED_NVCC} for sm_${SHED_CUDA_ARCHITECTURES}")
