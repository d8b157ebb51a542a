/**
 * @file pt2.h
 * @brief The C interface of libpt2, which runs PyTorch programs on CPU and CUDA without Python.
 *
 * libpt2 loads archives (.pt2) written by torch.export.save, and packages compiled by AOTInductor.
 *
 * @code{.c}
 * pt2_model *model = NULL;
 * pt2_error *error = pt2_load("model.pt2", NULL, &model);
 * if (error == NULL) error = pt2_run(model, inputs, input_count, NULL, outputs, output_count);
 * if (error != NULL) fprintf(stderr, "%s\n", pt2_error_message(error));
 * @endcode
 *
 * @par Errors
 * A function that can fail returns NULL on success. On failure, it returns an error owned by the
 * caller. An error has a code that never changes meaning and a message of one sentence. It refers
 * to no other object. There is no partial success: a failed call stores no result and takes
 * ownership of nothing. Every handle stays usable.
 *
 * @par Ownership
 * The caller owns each object that a function returns, and frees it with the function for its type:
 * pt2_free() for models, pt2_tensor_free() for tensors, pt2_error_free() for errors. Freeing NULL
 * does nothing. Arguments are borrowed for the call. The exception is memory that a tensor is made
 * on: it is borrowed until it is released. Tensors share memory by reference counting and keep it
 * alive, so outputs outlive their model.
 *
 * @par Thread safety
 * Any number of threads may load, run, clone and query models at the same time. A model whose
 * program writes to its own state runs one call at a time. Its clones have states of their own and
 * do not wait for each other. Weights may be set while calls run: each call uses the old weights or
 * the new ones. A tensor or an error may be read by many threads, or freed by one. libpt2 keeps no
 * handle, option or error per thread. The same inputs give the same bits whatever other threads do,
 * provided that libtorch's kernels are deterministic.
 *
 * @par Memory
 * CPU scratch memory is pooled: one buffer per concurrent call, at most one per core. pt2_free()
 * releases it. A buffer is also released after eight consecutive calls that needed less than half
 * of it. Large outputs stay in scratch memory until they are freed.
 *
 * @par Out of memory
 * If host memory runs out, a call fails with `PT2_ERROR_OUT_OF_MEMORY`. Handles stay usable, and
 * the error takes no memory. Blocks of up to 8 MiB that the system refuses to libpt2, libtorch,
 * oneDNN or libgomp come from a reserve of 32 MiB of address space until the call can fail:
 * between two operators of a run, or between two stages of a load. The process may still end if
 * one operator needs more than the reserve, or if code other than libtorch's allocator is
 * refused a larger block. It may also end while the first call opens libtorch, and in threads
 * that start at that moment (SECURITY.md). The reserve serves calls on the CPU; CUDA's libraries
 * do not use it.
 *
 * @par Inputs
 * Every input is checked in every run, before any operator runs. The error names the input, the
 * expected and the actual property. Element values are not checked. Every pointer may be NULL
 * without harm: where its description does not allow NULL, the call fails. A pointer that is
 * neither NULL nor as described is undefined behaviour.
 *
 * @par Untrusted archives
 * Loading is designed to be safe for files of any origin, with time and memory in proportion to the
 * file. SECURITY.md lists the limits. Loading, cloning, querying, setting weights before the first
 * run, and freeing run no operator of the program. Running is not safe: libtorch is not a sandbox,
 * so run untrusted programs in one.
 *
 * Operators that open files, print, communicate with other processes or take addresses are refused
 * at load, unless the caller allows them. So are operators of libraries outside libtorch that were
 * not loaded with pt2_load_op_library(). Code compiled by AOTInductor is native code: it is loaded
 * only if the caller allows it. No part of an archive is ever compiled.
 *
 * @par libtorch
 * Linking and starting this library requires only the C library. The first call that needs libtorch
 * opens it in 0.2 to 0.4 s, together with the engine for its version, which lies beside this
 * library. pt2_set_libtorch(), variables of the environment and the process decide which libtorch
 * that is (docs/guide/install.md); pt2_doctor() reports it. If the options of that load name a CUDA
 * device, the device is started in the same time. pt2_libtorch_version() opens libtorch ahead of
 * the first load. If it cannot be opened, every call that needs it fails with `PT2_ERROR_LIBTORCH`
 * for the life of the process. pt2_version(), pt2_set_libtorch() and freeing NULL never need it.
 *
 * @par Stacks
 * Threads with 96 KiB of stack can load, run and free. This was enough for every call that was
 * tried; custom operators may need more. No archive makes a stack executable.
 *
 * @par Process
 * No panic and no C++ exception leaves a call. Callbacks of the caller must not throw. libpt2
 * prints nothing, never exits, and sets no environment variables. It reads TMPDIR if CUDA kernels
 * need a folder. The library stays resident after dlclose(). It locates its files by the folder
 * that it was loaded from.
 *
 * @par Exit
 * exit() and a return from main wait for calls of other threads, at most 10 s. A run ends between
 * two operators with `PT2_ERROR_EXITING`. Later calls fail with it too, and freeing does nothing
 * then. A single operator, a load or a call of compiled code that takes longer is overtaken by the
 * exit, and the process may crash. While a call opens libraries, as the first call does, only an
 * exit of the main thread waits, and only if the main thread loaded libpt2.so, by linking or by
 * dlopen(). exit() in another thread may crash then. _exit() and quick_exit() do not wait.
 *
 * @par Fork
 * Fork before the first call, or execute a new program in the child. In a child that was forked
 * later, every function that returns an error fails with `PT2_ERROR_FORKED`. Queries that return
 * no error still work, and freeing a model or a tensor does nothing.
 *
 * @par Signals
 * libpt2 installs no signal handlers and changes no signal mask. Interrupted system calls are
 * repeated. No function may be called from a signal handler.
 *
 * @par Cancellation
 * Cancellation of a thread, deferred or asynchronous, is disabled during a call and takes effect
 * after it. The results of a cancelled call are lost unless the host frees them.
 *
 * @par Floating-point environment
 * Calls compute in the default environment of the C library, on every thread that they use. The
 * caller's environment is restored when they return, exception flags included. Callbacks run in the
 * default environment. A library that changes the environment while it is loaded changes it for its
 * initialisers only.
 *
 * @par Process limits
 * If threads cannot be created, calls use the threads that exist. libpt2 tries this before libtorch
 * requests threads: if other code takes them in the meantime, libgomp ends the process. If written
 * memory must not become executable (MemoryDenyWriteExecute), oneDNN is not used, which is slower.
 *
 * @par Symbols
 * libtorch calls its own BLAS, LAPACK and thread pool, whatever names the host exports. malloc and
 * OpenMP are the host's if the host brings its own. If functions of OpenMP come from two libraries,
 * every call fails with `PT2_ERROR_LIBTORCH`.
 *
 * @par Versions
 * Structs begin with their size. Set `struct_size` to the sizeof at compile time: a program that
 * was compiled with an older header then works with a newer library. Enum values never change
 * meaning; newer libraries may add values. `@since` names the first version that has an item.
 * Items marked experimental are documented as such, and may change as their note says.
 *
 * Generated by cbindgen from src/capi; `make header` writes it.
 */

#ifndef PT2_H
#define PT2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From dlpack/dlpack.h (version 1), which need not be installed. */
struct DLManagedTensorVersioned;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup pt2_errors Errors
 * @brief Error objects, their codes and messages.
 * @{
 */

/**
 * @brief The kind of an error.
 *
 * The numbers never change meaning. A newer library may add some.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief An argument of the call is invalid: NULL, an unknown option, a name that does not
   * exist.
   * @since 0.1.0
   */
  PT2_ERROR_ARGUMENT = 1,
  /**
   * @brief The operating system failed to open, read or map the file.
   * @since 0.1.0
   */
  PT2_ERROR_IO = 2,
  /**
   * @brief The file is not an archive, or it is ambiguous: two readers could read it in two
   * ways.
   * @since 0.1.0
   */
  PT2_ERROR_ARCHIVE = 3,
  /**
   * @brief The bytes of an entry do not match their checksum.
   * @since 0.1.0
   */
  PT2_ERROR_CHECKSUM = 4,
  /**
   * @brief The archive is well formed but needs a feature that this library does not have.
   * @since 0.1.0
   */
  PT2_ERROR_UNSUPPORTED = 5,
  /**
   * @brief The program in the archive contradicts itself or its schema.
   * @since 0.1.0
   */
  PT2_ERROR_PROGRAM = 6,
  /**
   * @brief A stored tensor is missing, or its description does not match its bytes. Also: a
   * tensor does not fit the weight that it is set for.
   * @since 0.1.0
   */
  PT2_ERROR_WEIGHT = 7,
  /**
   * @brief The program calls operators that this process does not have. The message lists all of
   * them.
   * @since 0.1.0
   */
  PT2_ERROR_MISSING_OPERATOR = 8,
  /**
   * @brief An input has the wrong count, kind, dtype, device, rank or size.
   * @since 0.1.0
   */
  PT2_ERROR_INPUT = 9,
  /**
   * @brief The requested device cannot be used.
   * @since 0.1.0
   */
  PT2_ERROR_DEVICE = 10,
  /**
   * @brief The device failed. It is lost for the life of the process.
   * @since 0.1.0
   */
  PT2_ERROR_DEVICE_LOST = 11,
  /**
   * @brief Host memory ran out. Handles stay usable.
   * @since 0.1.0
   */
  PT2_ERROR_OUT_OF_MEMORY = 12,
  /**
   * @brief Device memory ran out. Handles stay usable.
   * @since 0.1.0
   */
  PT2_ERROR_DEVICE_OUT_OF_MEMORY = 13,
  /**
   * @brief An operator rejected its arguments or failed. The message names the node and the line
   * of Python that was exported.
   * @since 0.1.0
   */
  PT2_ERROR_OPERATOR = 14,
  /**
   * @brief libtorch failed outside any node, or libpt2 has a bug.
   * @since 0.1.0
   */
  PT2_ERROR_INTERNAL = 15,
  /**
   * @brief The program calls operators that may reach files, memory or other processes. The
   * message lists all of them. `allowed_operators` of `pt2_load_options` permits them.
   * @since 0.1.0
   */
  PT2_ERROR_FORBIDDEN_OPERATOR = 16,
  /**
   * @brief The archive holds code that was compiled for another platform, processor, CUDA device
   * or PyTorch. The message gives both values of each difference. None of the code was executed.
   * @since 0.1.0
   */
  PT2_ERROR_OTHER_MACHINE = 17,
  /**
   * @brief The archive holds compiled code that was not loaded. Either `allow_native_code` of
   * `pt2_load_options` is not set, or the SHA-256 is not the expected one, or the dynamic loader
   * rejected the code.
   * @since 0.1.0
   */
  PT2_ERROR_NATIVE_CODE = 18,
  /**
   * @brief libtorch could not be loaded, or there is no engine for its version. The message names
   * the file and the reason. The error is permanent for the life of the process.
   * @since 0.1.0
   */
  PT2_ERROR_LIBTORCH = 19,
  /**
   * @brief The process is the child of a fork that came after the first call. libtorch's threads
   * do not exist in it. Functions that return no error object still work, and freeing a model or
   * a tensor does nothing.
   * @since 0.1.0
   */
  PT2_ERROR_FORKED = 20,
  /**
   * @brief The process is exiting.
   * @since 0.1.0
   */
  PT2_ERROR_EXITING = 21,
} pt2_status;

/**
 * @brief The reason why a call failed.
 *
 * The caller owns an error and frees it with pt2_error_free(). An error refers to no other object.
 * Any thread may read it.
 *
 * @since 0.1.0
 */
typedef struct pt2_error pt2_error;

/**
 * @brief Returns the kind of an error.
 *
 * @param[in] error The error, or NULL.
 *
 * @return A `pt2_status`, or 0 for NULL. A newer library may return numbers that this header does
 * not list.
 *
 * @par Ownership
 * `error` is borrowed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read an error at the same time.
 *
 * @since 0.1.0
 */
int32_t pt2_error_code(const pt2_error *error);

/**
 * @brief Returns the message of an error.
 *
 * The message is one sentence in UTF-8. It names the input, node or entry that caused the error,
 * and says what to do.
 *
 * @param[in] error The error, or NULL.
 *
 * @return A NUL-terminated string, never NULL. It is empty if `error` is NULL.
 *
 * @par Ownership
 * `error` is borrowed. The string belongs to the error and is valid until the error is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read an error at the same time.
 *
 * @since 0.1.0
 */
const char *pt2_error_message(const pt2_error *error);

/**
 * @brief Returns the name of the input that caused the error.
 *
 * @param[in] error The error, or NULL.
 *
 * @return The path name of the input, such as `args[0]`. NULL if no single input caused the error,
 * or if `error` is NULL.
 *
 * @par Ownership
 * `error` is borrowed. The string belongs to the error and is valid until the error is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read an error at the same time.
 *
 * @since 0.1.0
 */
const char *pt2_error_input(const pt2_error *error);

/**
 * @brief Frees an error.
 *
 * @param[in] error The error to free. NULL does nothing.
 *
 * @par Ownership
 * Takes ownership of `error`, which must not be used or freed again.
 *
 * @par Thread safety
 * Any thread may free an error. Not thread-safe: no other thread may use the error during the
 * call.
 *
 * @since 0.1.0
 */
void pt2_error_free(pt2_error *error);

/** @} */

/**
 * @defgroup pt2_library Library
 * @brief Versions, libtorch, threads of the process, and operator libraries.
 * @{
 */

/**
 * @brief Returns the version of libpt2, such as `0.1.0`.
 *
 * This function never needs libtorch.
 *
 * @return A NUL-terminated string, never NULL.
 *
 * @par Ownership
 * The string is static.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_version(void);

/**
 * @brief Returns the version of the libtorch in this process, such as `2.11.0`.
 *
 * The first call of a process that needs libtorch loads it, from the folder that the environment
 * variable `PT2_LIBTORCH` names if it is set. This function does so ahead of the first load.
 *
 * @return A NUL-terminated string, never NULL.
 *
 * @par Ownership
 * The string is static.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_libtorch_version(void);

/**
 * @brief Sets the number of threads that one operator may use on the CPU.
 *
 * libtorch keeps one number for the whole process, so it applies to all models.
 *
 * @param[in] count The number of threads. Zero and negative values are ignored.
 *
 * @par Ownership
 * No pointers are passed.
 *
 * @par Thread safety
 * Any thread may call it before the first run. Not thread-safe: do not call it while a model runs.
 *
 * @since 0.1.0
 */
void pt2_set_cpu_threads(int32_t count);

/**
 * @brief Names the folder of the libtorch that this process uses.
 *
 * Call it before the first call that needs libtorch. The folder takes precedence over all other
 * places where libtorch is looked for. Nothing is opened yet.
 *
 * @param[in] folder The folder, as a NUL-terminated string: `torch` of a Python package, an
 *   unpacked libtorch, or the `lib` in one of them. NULL undoes an earlier call.
 *
 * @return NULL on success. On failure, an error owned by the caller: `PT2_ERROR_ARGUMENT` if the
 * folder has no libtorch, or if the process already uses another one.
 *
 * @par Ownership
 * `folder` is borrowed for the call. A copy is kept.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_set_libtorch(const char *folder);

/**
 * @brief Returns a report about libtorch in this process, for people.
 *
 * It lists the places where libtorch was looked for with their results, the engine, and the
 * versions of CUDA, cuDNN and the driver. It says whether these fit, and gives advice if not. Its
 * words may change in any version. The first call of a process that needs libtorch loads it; this
 * function does so, too.
 *
 * @return A NUL-terminated string of several lines, never NULL. A program asks
 * `pt2_libtorch_version()` whether libtorch could be loaded.
 *
 * @par Ownership
 * The string is static.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_doctor(void);

/**
 * @brief Loads a library that registers operators with libtorch, such as torchvision's.
 *
 * Programs that are loaded later may call the operators. The library must fit the libtorch in this
 * process and must not need Python.
 *
 * A library that the process loaded earlier by other means adds no operators here. Name its
 * operators in `allowed_operators` of `pt2_load_options`.
 *
 * @param[in] path The path of the file, a NUL-terminated string that is passed to the system
 *   unchanged. No folders are searched.
 *
 * @return NULL on success. On failure, an error owned by the caller, with the message of the
 * dynamic loader. If the file needs a library that is not found, the error names that library.
 *
 * @warning libtorch ends the process if two libraries define the same namespace. Its check throws
 * an exception (`aten/src/ATen/core/dispatch/Dispatcher.cpp` of PyTorch 2.11), and the dynamic
 * loader lets no exception of a library's initialisers through.
 *
 * @par Ownership
 * `path` is borrowed for the call. The library stays loaded for the life of the process. Its code
 * runs with all the rights of the process, from this call on.
 *
 * @par Thread safety
 * Thread-safe. Libraries are loaded one after the other. If it is the first call of a process,
 * libtorch also loads its CUDA library where there is a driver.
 *
 * @since 0.1.0
 */
pt2_error *pt2_load_op_library(const char *path);

/** @} */

/**
 * @defgroup pt2_options Options and streams
 * @brief Options for loading and running, among them the device and the CUDA stream.
 * @{
 */

/**
 * @brief The optimisation level: how far the optimiser may rewrite a program before it runs.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief The default of the library: `PT2_OPTIMIZATION_FAST`.
   * @since 0.1.0
   */
  PT2_OPTIMIZATION_DEFAULT = 0,
  /**
   * @brief Outputs are bit-for-bit those of the exported program run by PyTorch on the same
   * device.
   * @since 0.1.0
   */
  PT2_OPTIMIZATION_EXACT = 1,
  /**
   * @brief Operations may be regrouped at the same precision settings. The error of outputs is at
   * most twice that of PyTorch with its convolutions in either memory format, plus two
   * roundings. Sizes, strides and dtypes are the same.
   * @since 0.1.0
   */
  PT2_OPTIMIZATION_FAST = 2,
} pt2_optimization;

/**
 * @brief The storage of the archive's bytes, while the model or an output that shares its weights
 * is alive.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief `PT2_MEMORY_COPY` if another user may change the file, else `PT2_MEMORY_MAP`. Another
   * user may change it if group or others may write it, or if its owner is neither this user nor
   * root. A file on a network or FUSE file system counts as such a file.
   * @since 0.1.0
   */
  PT2_MEMORY_AUTO = 0,
  /**
   * @brief Private pages of the file. Loading takes no copy and shares the page cache. Writes
   * never reach the file. Pages of weights that the load rewrote are released. While the model
   * or any of its outputs is alive, the file must not shrink (SIGBUS) and must not be written.
   * @since 0.1.0
   */
  PT2_MEMORY_MAP = 1,
  /**
   * @brief A copy of the file. The file may change or vanish after `pt2_load` has returned.
   * @since 0.1.0
   */
  PT2_MEMORY_COPY = 2,
} pt2_memory;

/**
 * @brief The form of a model. An archive may hold an exported program, code compiled from it, or
 * both.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief The compiled form if `allow_native_code` is set and the code fits this machine and
   * the requested device. Otherwise the exported program.
   * @since 0.1.0
   */
  PT2_FORM_AUTO = 0,
  /**
   * @brief The exported program.
   * @since 0.1.0
   */
  PT2_FORM_EXPORTED = 1,
  /**
   * @brief Code compiled by AOTInductor (`torch._inductor.aoti_compile_and_package`).
   * @since 0.1.0
   */
  PT2_FORM_COMPILED = 2,
} pt2_form;

/**
 * @brief Options for loading a model.
 *
 * Set all bytes to zero and `struct_size` to `sizeof(pt2_load_options)`. Zero means the default in
 * every field. The call borrows all pointers and copies their contents.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_load_options)`.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The device to run on: `"cpu"`, `"cuda"` (the first device) or `"cuda:N"`. NULL for
   * the device that the program was exported on.
   *
   * A program exported on one device loads on any other. All devices in the program become this
   * one. Sizes and dtypes of outputs are those recorded in the archive; strides are those that
   * the kernels of the device choose. If the device has no kernel for an operator, and other
   * operators cannot express it, the load fails with `PT2_ERROR_UNSUPPORTED`.
   * @since 0.1.0
   */
  const char *device;
  /**
   * @brief The name of the model in an archive that holds several. NULL for the only one.
   * @since 0.1.0
   */
  const char *model;
  /**
   * @brief The optimisation level, a `pt2_optimization`.
   * @since 0.1.0
   */
  int32_t optimization;
  /**
   * @brief The storage of the archive's bytes, a `pt2_memory`.
   * @since 0.1.0
   */
  int32_t memory;
  /**
   * @brief Not 0 to skip the comparison of stored checksums. Damaged weights then load without
   * an error.
   * @since 0.1.0
   */
  int32_t skip_checksums;
  /**
   * @brief Not 0 to leave libtorch's CUDA library unloaded. Only the first load of a process
   * decides this. Afterwards, loading on `"cuda"` fails for the life of the process.
   * @since 0.1.0
   */
  int32_t without_cuda;
  /**
   * @brief Operators to permit that are refused by default. NULL for none. Without permission, a
   * program that calls one is refused with `PT2_ERROR_FORBIDDEN_OPERATOR`, and the message gives
   * the reason.
   *
   * Operators are refused by default for one of three reasons:
   *
   * - They reach outside of tensors: they open files, print or communicate with other processes.
   * - They come from a library that was not loaded with pt2_load_op_library().
   * - One crafted argument makes them corrupt memory, and no exported model uses them. Examples
   *   are unchecked constructors of sparse tensors, and backward functions of losses and
   *   poolings.
   *
   * Each entry is an operator as the error spells it, or its name without the overload for all
   * of its overloads. It may also be a namespace followed by two colons and an asterisk.
   * @since 0.1.0
   */
  const char *const *allowed_operators;
  /**
   * @brief The number of strings in `allowed_operators`.
   * @since 0.1.0
   */
  size_t allowed_operator_count;
  /**
   * @brief The maximum number of CUDA graphs to keep. 0 for the default (16), negative for none.
   * Ignored on the CPU.
   *
   * After a few calls with inputs of the same sizes, strides, dtypes and numbers, the run is
   * captured as a CUDA graph. Later calls of that kind are one launch, with the same bits in the
   * outputs. Each graph keeps memory for its inputs and outputs. All graphs of a model share the
   * memory for intermediate values. pt2_model_statistics() reports the captures.
   * @since 0.1.0
   */
  int64_t cuda_graphs;
  /**
   * @brief Not 0 to permit code compiled by AOTInductor. Loading such code executes it with all
   * the rights of this process. Without permission, an archive that holds nothing else is
   * refused with `PT2_ERROR_NATIVE_CODE`.
   * @since 0.1.0
   */
  int32_t allow_native_code;
  /**
   * @brief The form to load, a `pt2_form`.
   * @since 0.1.0
   */
  int32_t form;
  /**
   * @brief The SHA-256 that the native code must have, in 64 hexadecimal digits. NULL for any.
   * If it is set, the load either uses the compiled form or fails.
   *
   * The digest is compared with the bytes that are then executed, which are those of the shared
   * library. If the archive brings CUDA kernels in files of their own, it is the SHA-256 of one
   * line for each file. Each line is `<SHA-256>  <file name>`, for the library and the kernels,
   * in the order of the file names. `pt2 inspect` prints the digest.
   * @since 0.1.0
   */
  const char *native_code_sha256;
  /**
   * @brief The maximum number of concurrent calls of compiled code. Other calls wait in order of
   * arrival. 0 for the default: on the CPU the number of cores but at most 8, on CUDA 1.
   *
   * Code that writes to its own buffers always has 1. A package without an exported program does
   * not record whether its code does so. Its default is 1; by any other number the caller
   * vouches that the code may run concurrently.
   * @since 0.1.0
   */
  size_t instances;
  /**
   * @brief An existing folder for links to CUDA kernels. NULL for the system's folder for
   * temporary files. A folder of links is kept in it while the model is alive. No other part of
   * compiled code is ever a file.
   * @since 0.1.0
   */
  const char *kernel_folder;
  /**
   * @brief An existing writable folder for autotuning results. NULL for no autotuning. Ignored
   * on the CPU, at `PT2_OPTIMIZATION_EXACT` and for compiled code.
   *
   * With a folder, cuDNN's algorithms for each convolution are autotuned on the CUDA device. The
   * first call with inputs of new sizes measures them, which takes seconds. Later calls use the
   * fastest. The results are kept in a file for the GPU, the versions of libtorch and cuDNN, and
   * the program. Later processes read that file and measure nothing.
   *
   * @note Experimental: the format of the file may change in any release.
   * @since 0.1.0
   */
  const char *tuning_folder;
} pt2_load_options;

/**
 * @brief Options for one run of a model.
 *
 * Set all bytes to zero and `struct_size` to `sizeof(pt2_run_options)`.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_run_options)`.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The `cudaStream_t` of the model's device on which all work is queued. NULL for the
   * current libtorch stream of the calling thread, which is the default stream unless the host
   * changed it. Ignored on the CPU.
   * @since 0.1.0
   */
  void *stream;
} pt2_run_options;

/** @} */

/**
 * @defgroup pt2_tensors Tensors
 * @brief Tensors on the caller's memory, their properties, copies between devices, and DLPack.
 * @{
 */

/**
 * @brief The element type of a tensor.
 *
 * The numbers up to 32 are those of `ScalarType` in `torch/_export/serde/schema.py` of PyTorch
 * 2.11. That file has no numbers for the three types above.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief `torch.uint8`.
   * @since 0.1.0
   */
  PT2_DTYPE_UINT8 = 1,
  /**
   * @brief `torch.int8`.
   * @since 0.1.0
   */
  PT2_DTYPE_INT8 = 2,
  /**
   * @brief `torch.int16`.
   * @since 0.1.0
   */
  PT2_DTYPE_INT16 = 3,
  /**
   * @brief `torch.int32`.
   * @since 0.1.0
   */
  PT2_DTYPE_INT32 = 4,
  /**
   * @brief `torch.int64`.
   * @since 0.1.0
   */
  PT2_DTYPE_INT64 = 5,
  /**
   * @brief `torch.float16`, IEEE half precision.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT16 = 6,
  /**
   * @brief `torch.float32`, IEEE single precision.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT32 = 7,
  /**
   * @brief `torch.float64`, IEEE double precision.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT64 = 8,
  /**
   * @brief `torch.complex32`, two numbers of half precision.
   * @since 0.1.0
   */
  PT2_DTYPE_COMPLEX32 = 9,
  /**
   * @brief `torch.complex64`, two numbers of single precision.
   * @since 0.1.0
   */
  PT2_DTYPE_COMPLEX64 = 10,
  /**
   * @brief `torch.complex128`, two numbers of double precision.
   * @since 0.1.0
   */
  PT2_DTYPE_COMPLEX128 = 11,
  /**
   * @brief `torch.bool`, one byte that is 0 or 1.
   * @since 0.1.0
   */
  PT2_DTYPE_BOOL = 12,
  /**
   * @brief `torch.bfloat16`, the upper half of a `torch.float32`.
   * @since 0.1.0
   */
  PT2_DTYPE_BFLOAT16 = 13,
  /**
   * @brief `torch.uint16`.
   * @since 0.1.0
   */
  PT2_DTYPE_UINT16 = 28,
  /**
   * @brief `torch.float8_e4m3fn`.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT8_E4M3FN = 29,
  /**
   * @brief `torch.float8_e5m2`.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT8_E5M2 = 30,
  /**
   * @brief `torch.float8_e4m3fnuz`.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT8_E4M3FNUZ = 31,
  /**
   * @brief `torch.float8_e5m2fnuz`.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT8_E5M2FNUZ = 32,
  /**
   * @brief `torch.float8_e8m0fnu`.
   * @since 0.1.0
   */
  PT2_DTYPE_FLOAT8_E8M0FNU = 33,
  /**
   * @brief `torch.uint32`.
   * @since 0.1.0
   */
  PT2_DTYPE_UINT32 = 34,
  /**
   * @brief `torch.uint64`.
   * @since 0.1.0
   */
  PT2_DTYPE_UINT64 = 35,
} pt2_dtype;

/**
 * @brief A tensor: memory with an element type, sizes and strides on a device.
 *
 * Handles share memory by reference counting. Any number of threads may read one handle at the
 * same time. Every other use is limited to one thread at a time.
 *
 * @since 0.1.0
 */
typedef struct pt2_tensor pt2_tensor;

/**
 * @brief Releases the memory that a tensor was made on.
 *
 * libpt2 calls the function once, with the context that came with it, when libpt2 no longer uses
 * the memory. The call comes from whichever thread drops the last reference. It must not call
 * libpt2 and must not throw.
 *
 * @param[in] context The `release_context` of pt2_tensor_from_memory().
 *
 * @since 0.1.0
 */
typedef void (*pt2_release)(void *context);

/**
 * @brief Makes a tensor on memory of the caller, without a copy.
 *
 * The memory must hold every element that the sizes and strides reach. Addresses above 2^63 are
 * refused. If an operator needs a stricter alignment than the element type, libpt2 copies the
 * input.
 *
 * @param[in] data The first element, aligned to the size of one element. A complex number is one
 *   element. May be NULL if the tensor has no elements.
 * @param[in] dtype The element type, a `pt2_dtype`.
 * @param[in] sizes `rank` sizes.
 * @param[in] strides `rank` strides, counted in elements and not negative. NULL for a contiguous
 *   tensor.
 * @param[in] rank The number of dimensions.
 * @param[in] device The device that the memory belongs to. NULL means `"cpu"`. For a CUDA device,
 *   memory that CUDA does not know is refused.
 * @param[in] release Called once, when the last tensor on the memory is freed. May be NULL.
 * @param[in] release_context Passed to `release`.
 * @param[out] tensor Receives the handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `release` is never called and
 * `*tensor` stays unmodified.
 *
 * @par Ownership
 * The memory is borrowed until `release` is called. If `release` is NULL, it is borrowed until the
 * tensor and all outputs that share its memory are freed. Sizes, strides and strings are copied.
 * The caller owns the handle and frees it with pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe. `release` runs on the thread that drops the last reference.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_from_memory(void *data,
                                  int32_t dtype,
                                  const int64_t *sizes,
                                  const int64_t *strides,
                                  size_t rank,
                                  const char *device,
                                  pt2_release release,
                                  void *release_context,
                                  pt2_tensor **tensor);

/**
 * @brief Makes a 0-d int64 tensor on the CPU, to pass an int.
 *
 * @param[in] value The value.
 * @param[out] tensor Receives the handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
 *
 * @par Ownership
 * The caller owns the handle and frees it with pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_from_int(int64_t value, pt2_tensor **tensor);

/**
 * @brief Makes a 0-d float64 tensor on the CPU, to pass a float.
 *
 * @param[in] value The value.
 * @param[out] tensor Receives the handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
 *
 * @par Ownership
 * The caller owns the handle and frees it with pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_from_float(double value, pt2_tensor **tensor);

/**
 * @brief Makes a 0-d bool tensor on the CPU, to pass a bool.
 *
 * @param[in] value The value.
 * @param[out] tensor Receives the handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
 *
 * @par Ownership
 * The caller owns the handle and frees it with pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_from_bool(bool value, pt2_tensor **tensor);

/**
 * @brief Returns the element type of a tensor.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return A `pt2_dtype`. 0 for NULL, and for a type that has no number here.
 *
 * @par Ownership
 * `tensor` is borrowed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
int32_t pt2_tensor_dtype(const pt2_tensor *tensor);

/**
 * @brief Returns the number of dimensions of a tensor.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return The number of dimensions. 0 for NULL.
 *
 * @par Ownership
 * `tensor` is borrowed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
size_t pt2_tensor_rank(const pt2_tensor *tensor);

/**
 * @brief Returns the sizes of a tensor.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return An array with one size for each dimension. NULL for NULL.
 *
 * @par Ownership
 * `tensor` is borrowed. The array is valid until the handle is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
const int64_t *pt2_tensor_sizes(const pt2_tensor *tensor);

/**
 * @brief Returns the strides of a tensor, counted in elements.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return An array with one stride for each dimension. NULL for NULL.
 *
 * @par Ownership
 * `tensor` is borrowed. The array is valid until the handle is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
const int64_t *pt2_tensor_strides(const pt2_tensor *tensor);

/**
 * @brief Returns the address of the first element of a tensor, on its device.
 *
 * A tensor is not always contiguous: use its strides, which are 0 where a dimension was expanded,
 * or pt2_tensor_to_host(). The memory holds the elements themselves: PyTorch's lazy conjugates and
 * lazy negatives are already resolved.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return The address. NULL for NULL, and for a tensor without elements.
 *
 * @par Ownership
 * `tensor` is borrowed. The memory is valid until the handle is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read the memory at the same time. The caller synchronises
 * writes to it, also with calls that use it.
 *
 * @since 0.1.0
 */
void *pt2_tensor_data(const pt2_tensor *tensor);

/**
 * @brief Returns the device of a tensor, such as `cpu` or `cuda:0`.
 *
 * @param[in] tensor The tensor, or NULL.
 *
 * @return A NUL-terminated string. NULL for NULL.
 *
 * @par Ownership
 * `tensor` is borrowed. The string is valid until the handle is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
const char *pt2_tensor_device(const pt2_tensor *tensor);

/**
 * @brief Returns a contiguous tensor on the CPU with the same values.
 *
 * Waits until the work that fills the tensor is done.
 *
 * @param[in] tensor The tensor. Must not be NULL.
 * @param[out] host Receives a new handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*host` stays unmodified.
 *
 * @par Ownership
 * `tensor` is borrowed. The caller owns the new handle and frees it with pt2_tensor_free(). It
 * shares the memory of `tensor` if that is contiguous and on the CPU already.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_to_host(const pt2_tensor *tensor, pt2_tensor **host);

/**
 * @brief Makes a second handle on the same memory.
 *
 * @param[in] tensor The tensor. Must not be NULL.
 * @param[out] shared Receives the new handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*shared` stays unmodified.
 *
 * @par Ownership
 * `tensor` is borrowed. The caller owns the new handle and frees it with pt2_tensor_free(). The
 * memory is valid until the last handle is freed.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_share(const pt2_tensor *tensor, pt2_tensor **shared);

/**
 * @brief Frees a tensor handle.
 *
 * The memory stays valid while another handle or tensor shares it.
 *
 * @param[in] tensor The handle to free. NULL does nothing.
 *
 * @par Ownership
 * Takes ownership of `tensor`, which must not be used or freed again.
 *
 * @par Thread safety
 * Any thread may free a handle. Not thread-safe: no other thread may use the handle during the
 * call.
 *
 * @since 0.1.0
 */
void pt2_tensor_free(pt2_tensor *tensor);

/**
 * @brief Returns a contiguous tensor on another device with the same values.
 *
 * With this function inputs reach a GPU without the CUDA toolkit.
 *
 * @param[in] tensor The tensor. Must not be NULL.
 * @param[in] device The target device: `"cpu"`, `"cuda"` or `"cuda:N"`.
 * @param[in] stream The `cudaStream_t` of one of the CUDA devices involved, on which the copy is
 *   queued. NULL for the current stream of the calling thread.
 * @param[out] copy Receives a new handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*copy` stays unmodified.
 *
 * @par Ownership
 * `tensor` is borrowed, and its memory may be changed after the call. The caller owns the new
 * handle and frees it with pt2_tensor_free(). It shares the memory of `tensor` if that is
 * contiguous and on the device already.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may read a tensor at the same time.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_to_device(const pt2_tensor *tensor,
                                const char *device,
                                void *stream,
                                pt2_tensor **copy);

/**
 * @brief Imports a DLPack tensor without a copy.
 *
 * `managed` is a tensor of DLPack version 1 on the CPU or a CUDA device, whose deleter has not
 * run. Memory marked as read-only is not protected from a program that writes to its inputs. The
 * rules of pt2_tensor_from_memory() for addresses, sizes and strides apply.
 *
 * @param[in] managed The DLPack tensor.
 * @param[out] tensor Receives the handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified,
 * no deleter is called and `managed` still belongs to the caller.
 *
 * Errors:
 *
 * - `PT2_ERROR_ARGUMENT`: fields contradict each other. Examples are a negative rank or size, NULL
 *   data with a byte offset, and an offset that leaves the address space.
 * - `PT2_ERROR_UNSUPPORTED`: another major version of DLPack, or an element type that PyTorch does
 *   not have.
 * - `PT2_ERROR_DEVICE`: another device.
 *
 * @par Ownership
 * On success `managed` belongs to libpt2, which calls its deleter once, when the last tensor on
 * the memory is freed. The caller owns the handle and frees it with pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe. The deleter runs on the thread that drops the last reference.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_from_dlpack(struct DLManagedTensorVersioned *managed, pt2_tensor **tensor);

/**
 * @brief Exports a tensor as DLPack without a copy.
 *
 * On CUDA, the work that fills the memory may still be queued on the stream of the run.
 *
 * @param[in] tensor The tensor. Must not be NULL.
 * @param[out] managed Receives a new `DLManagedTensorVersioned` on the same memory.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*managed` stays unmodified.
 *
 * @par Ownership
 * `tensor` is borrowed and may be freed at once. `managed` keeps the memory alive until its
 * deleter is called, by its consumer.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_tensor_to_dlpack(const pt2_tensor *tensor,
                                struct DLManagedTensorVersioned **managed);

/** @} */

/**
 * @defgroup pt2_models Models and packages
 * @brief Loading, querying and freeing models from archives and AOTInductor packages.
 * @{
 */

/**
 * @brief A loaded program with its weights on one device.
 *
 * Any number of threads may run and query a model at the same time, and they share one copy of the
 * weights. Values that the program writes to are the state of the model, see pt2_clone().
 *
 * @since 0.1.0
 */
typedef struct pt2_model pt2_model;

/**
 * @brief Loads a model from an archive.
 *
 * The archive holds a program written by `torch.export.save`, or code compiled by
 * `torch._inductor.aoti_compile_and_package`.
 *
 * Before the call returns, all used bytes are compared with their checksums, every operator is
 * looked up, and every input is described. A damaged or hostile archive gives an error. No
 * operator of the program runs before the first run or warm-up. The load itself folds norms into
 * weights and reorders weights. It checks their sizes against the stored bytes and uses at most
 * four times these bytes and 16 MiB.
 *
 * Running a hostile program is not safe: use a sandbox. Compiled code is native code. It is loaded
 * only if `allow_native_code` is set, and only after it was found to fit this machine.
 *
 * On a CUDA device, three tasks continue in threads after the call: weights are copied to the
 * device, norms are folded into them, and cuDNN and cuBLAS are loaded. The threads end by
 * themselves. The first run waits for the results that it needs and reports failures of these
 * tasks. If device memory ran out, the next run tries again. pt2_free() waits for all of them.
 *
 * Name the CUDA device in the options: a process that has not used CUDA then starts it while other
 * work goes on.
 *
 * @param[in] path The path of the file, a NUL-terminated string that is passed to the system
 *   unchanged.
 * @param[in] options The options, or NULL for the defaults.
 * @param[out] model Receives the model.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*model` stays unmodified.
 *
 * @par Ownership
 * The arguments are borrowed for the call. The caller owns the model and frees it with pt2_free().
 * The file is not kept open. `pt2_memory` says whether it stays mapped, on any device: weights may
 * be read and reset later (pt2_get_parameter(), pt2_reset_parameters()).
 *
 * @par Thread safety
 * Thread-safe. Loads may run in parallel.
 *
 * @since 0.1.0
 */
pt2_error *pt2_load(const char *path, const pt2_load_options *options, pt2_model **model);

/**
 * @brief Loads a model from the bytes of an archive.
 *
 * Nothing is written to disk. All guarantees of pt2_load() apply.
 *
 * @param[in] data The bytes.
 * @param[in] size The number of bytes.
 * @param[in] options The options, or NULL for the defaults. Their `memory` is ignored, because the
 *   bytes are always copied.
 * @param[out] model Receives the model.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*model` stays unmodified.
 *
 * @par Ownership
 * The arguments are borrowed for the call. The bytes may be changed or freed after it. The caller
 * owns the model and frees it with pt2_free(). The copy stays in host memory as long as the model
 * lives.
 *
 * @par Thread safety
 * Thread-safe. Loads may run in parallel. No thread may change the bytes during the call.
 *
 * @since 0.1.0
 */
pt2_error *pt2_load_from_memory(const void *data,
                                size_t size,
                                const pt2_load_options *options,
                                pt2_model **model);

/**
 * @brief Frees a model.
 *
 * Calls in flight on other threads still finish, and the last of them releases the memory of the
 * model. Outputs and clones of the model stay valid.
 *
 * @param[in] model The model to free. NULL does nothing.
 *
 * @par Ownership
 * Takes ownership of `model`, which must not be freed again.
 *
 * @par Thread safety
 * Any thread may free a model, also while calls with it are in flight. Not thread-safe: no call
 * with it may begin afterwards.
 *
 * @since 0.1.0
 */
void pt2_free(pt2_model *model);

/**
 * @brief Returns the device that the model runs on, such as `cpu` or `cuda:0`.
 *
 * @param[in] model The model, or NULL.
 *
 * @return A NUL-terminated string. NULL for NULL.
 *
 * @par Ownership
 * `model` is borrowed. The string is valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_model_device(const pt2_model *model);

/**
 * @brief Returns the name of the model in its archive.
 *
 * @param[in] model The model, or NULL.
 *
 * @return A NUL-terminated string. NULL for NULL.
 *
 * @par Ownership
 * `model` is borrowed. The string is valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_model_name(const pt2_model *model);

/**
 * @brief Returns whether the program writes to its own parameters, buffers or constants.
 *
 * The results of such a program depend on earlier calls. Calls of one model therefore run one
 * after the other.
 *
 * @param[in] model The model, or NULL.
 *
 * @return True if the program mutates its state. False for NULL, and for compiled code in a
 * package without an exported program, because such a package does not record whether it mutates
 * state.
 *
 * @par Ownership
 * `model` is borrowed.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
bool pt2_model_mutates(const pt2_model *model);

/**
 * @brief Returns the form in which the model runs.
 *
 * @param[in] model The model, or NULL.
 *
 * @return `PT2_FORM_EXPORTED` or `PT2_FORM_COMPILED`. 0 for NULL.
 *
 * @par Ownership
 * `model` is borrowed.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
int32_t pt2_model_form(const pt2_model *model);

/**
 * @brief Returns a condition that calls do not check, as a sentence.
 *
 * Such conditions are those of a program that cannot be decided before it runs, and those on
 * inputs that a package of compiled code does not record.
 *
 * Compiled code with an exported program accepts the sizes that the program allows, as PyTorch
 * does. Its compiler may have assumed that some of these sizes do not occur, and a package does
 * not record how the compiler used the assumption. This function names those sizes. Without an
 * exported program, a package accepts only the sizes that its compiler assumed; other sizes fail
 * with `PT2_ERROR_INPUT`.
 *
 * @param[in] model The model, or NULL.
 * @param[in] index The index of the sentence, counted from 0.
 *
 * @return A NUL-terminated string. NULL if there are no more sentences, and for NULL.
 *
 * @note Experimental: the wording of the sentences may change in any release.
 *
 * @par Ownership
 * `model` is borrowed. The string is valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
const char *pt2_model_unchecked(const pt2_model *model, size_t index);

/** @} */

/**
 * @defgroup pt2_ports Inputs and outputs
 * @brief Names, kinds, element types and sizes of inputs and outputs.
 * @{
 */

/**
 * @brief The kind of value that an input or output holds.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief A tensor.
   * @since 0.1.0
   */
  PT2_KIND_TENSOR = 1,
  /**
   * @brief An int, passed and returned as a 0-d tensor.
   * @since 0.1.0
   */
  PT2_KIND_INT = 2,
  /**
   * @brief A float, passed and returned as a 0-d tensor.
   * @since 0.1.0
   */
  PT2_KIND_FLOAT = 3,
  /**
   * @brief A bool, passed and returned as a 0-d tensor.
   * @since 0.1.0
   */
  PT2_KIND_BOOL = 4,
  /**
   * @brief A string that was fixed at export, passed and returned as NULL.
   * @since 0.1.0
   */
  PT2_KIND_STRING = 5,
  /**
   * @brief Python's None, passed and returned as NULL.
   * @since 0.1.0
   */
  PT2_KIND_NONE = 6,
  /**
   * @brief An object that a caller cannot pass.
   * @since 0.1.0
   */
  PT2_KIND_OBJECT = 7,
} pt2_kind;

/**
 * @brief The description of one input or output.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_port_info)`, set by the caller.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The path that a Python user would write, such as `args[0]` or `kwargs["mask"]`. Valid
   * as long as the model lives.
   * @since 0.1.0
   */
  const char *name;
  /**
   * @brief The kind of value, a `pt2_kind`.
   * @since 0.1.0
   */
  int32_t kind;
  /**
   * @brief The element type of a tensor, a `pt2_dtype`. 0 for other kinds. It is 0, and `rank`
   * is 0 too, for the outputs of a package without an exported program, which records neither.
   * @since 0.1.0
   */
  int32_t dtype;
  /**
   * @brief The number of dimensions of a tensor. 0 for other kinds.
   * @since 0.1.0
   */
  size_t rank;
  /**
   * @brief The value of an input or output that was fixed at export, else NULL. A string is in
   * UTF-8, with U+FFFD for each NUL in it. Any other kind is spelled as in Python, such as
   * `None`, `True`, `-3` or `0.5`. Valid as long as the model lives.
   * @since 0.1.0
   */
  const char *constant;
} pt2_port_info;

/**
 * @brief The description of one dimension of a tensor input or output.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_dimension)`, set by the caller.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The size in elements. -1 for a dynamic size.
   * @since 0.1.0
   */
  int64_t size;
  /**
   * @brief The symbol or expression of a dynamic size, such as `s77` or `2*s77`. NULL for a
   * fixed size. Within one call, equal symbols have equal sizes. Valid as long as the model
   * lives.
   * @since 0.1.0
   */
  const char *symbol;
  /**
   * @brief The smallest size that calls accept. -1 if it is unbounded.
   *
   * As in PyTorch, an exported lower bound of 1 or 2 is not enforced, and the value is 0
   * (`_check_input_constraints_for_graph` in `torch/_export/utils.py`, PyTorch 2.11). Compiled
   * packages enforce every lower bound.
   * @since 0.1.0
   */
  int64_t min;
  /**
   * @brief The largest size that calls accept. -1 if it is unbounded.
   * @since 0.1.0
   */
  int64_t max;
} pt2_dimension;

/**
 * @brief Returns the number of inputs, with Python's nested arguments flattened.
 *
 * @param[in] model The model, or NULL.
 *
 * @return The number of inputs. 0 for NULL.
 *
 * @par Ownership
 * `model` is borrowed.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
size_t pt2_input_count(const pt2_model *model);

/**
 * @brief Returns the number of outputs, with Python's nested results flattened.
 *
 * @param[in] model The model, or NULL.
 *
 * @return The number of outputs. 0 for NULL.
 *
 * @par Ownership
 * `model` is borrowed.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
size_t pt2_output_count(const pt2_model *model);

/**
 * @brief Describes one input.
 *
 * @param[in] model The model.
 * @param[in] index The index of the input, counted from 0.
 * @param[in,out] info The description. The caller sets its `struct_size`, and that many bytes are
 *   filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*info` stays unmodified.
 *
 * @par Ownership
 * Both pointers are borrowed. Strings in `info` are valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_input_info(const pt2_model *model, size_t index, pt2_port_info *info);

/**
 * @brief Describes one output.
 *
 * @param[in] model The model.
 * @param[in] index The index of the output, counted from 0.
 * @param[in,out] info The description. The caller sets its `struct_size`, and that many bytes are
 *   filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*info` stays unmodified.
 *
 * @par Ownership
 * Both pointers are borrowed. Strings in `info` are valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_output_info(const pt2_model *model, size_t index, pt2_port_info *info);

/**
 * @brief Describes one dimension of an input.
 *
 * @param[in] model The model.
 * @param[in] index The index of the input, counted from 0.
 * @param[in] position The index of the dimension, counted from 0.
 * @param[in,out] dimension The description. The caller sets its `struct_size`, and that many bytes
 *   are filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*dimension` stays
 * unmodified.
 *
 * @par Ownership
 * Both pointers are borrowed. Strings in `dimension` are valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_input_dimension(const pt2_model *model,
                               size_t index,
                               size_t position,
                               pt2_dimension *dimension);

/**
 * @brief Describes one dimension of an output.
 *
 * @param[in] model The model.
 * @param[in] index The index of the output, counted from 0.
 * @param[in] position The index of the dimension, counted from 0.
 * @param[in,out] dimension The description. The caller sets its `struct_size`, and that many bytes
 *   are filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*dimension` stays
 * unmodified.
 *
 * @par Ownership
 * Both pointers are borrowed. Strings in `dimension` are valid as long as the model lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_output_dimension(const pt2_model *model,
                                size_t index,
                                size_t position,
                                pt2_dimension *dimension);

/**
 * @brief Finds an input by its name.
 *
 * Accepted are the name in `pt2_port_info` and Triton's spellings. Names in `pt2_port_info` look
 * like `args[0]` or `kwargs["mask"]`. The quotes may be left out, and attributes may be written as
 * `.field` or `[field]`. Triton's spellings are `INPUT__0` for the first input, `ARGS[0]` and
 * `KWARGS[mask]`.
 *
 * @param[in] model The model.
 * @param[in] name The name.
 * @param[out] index Receives the index.
 *
 * @return NULL on success. On failure, an error owned by the caller, which lists all names;
 * `*index` stays unmodified.
 *
 * @par Ownership
 * All pointers are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_input_index(const pt2_model *model, const char *name, size_t *index);

/**
 * @brief Finds an output by its name.
 *
 * Accepted are the name in `pt2_port_info` and Triton's spellings. Names in `pt2_port_info` look
 * like `result["logits"]`. The quotes may be left out, and attributes may be written as `.field`
 * or `[field]`. Triton's spellings are `OUTPUT__0` for the first output, and `RESULT[0][logits]`,
 * where a result that is not a sequence counts as a sequence of one.
 *
 * @param[in] model The model.
 * @param[in] name The name.
 * @param[out] index Receives the index.
 *
 * @return NULL on success. On failure, an error owned by the caller, which lists all names;
 * `*index` stays unmodified.
 *
 * @par Ownership
 * All pointers are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_output_index(const pt2_model *model, const char *name, size_t *index);

/** @} */

/**
 * @defgroup pt2_runs Runs
 * @brief Running and warming up models.
 * @{
 */

/**
 * @brief Runs the program once.
 *
 * Count, kind, dtype, device, rank, sizes and relations between sizes of the inputs are checked
 * before any operator runs. Element values are not checked.
 *
 * The first run also performs constant folding: it computes the values that the program derives
 * from weights alone, and keeps them for later runs and clones. Runs that arrive in the meantime
 * wait for it. If folding fails, that run fails, the error names the node, and the next run tries
 * again.
 *
 * Outputs are strided tensors whose memory holds their elements. PyTorch's lazy conjugates, lazy
 * negatives and zeros without memory are materialised. A nested, sparse, quantised or mkldnn
 * output fails with `PT2_ERROR_UNSUPPORTED`, and the error names the output. The load reports it
 * if the archive records it, otherwise the run does.
 *
 * An input that the program writes to must have memory of its own, else the run fails with
 * `PT2_ERROR_INPUT`:
 *
 * - No two of its elements share an address.
 * - It shares no element with another input. Elements are compared, not ranges. Strides that take
 *   more than 4,096 steps to compare count as an overlap.
 * - It overlaps no weight and no state of any model in the process. Weights are compared as
 *   ranges.
 *
 * `torch.export` refuses inputs that share elements with a mutated input when it traces
 * (`torch/_functorch/_aot_autograd/runtime_wrappers.py`, PyTorch 2.11).
 *
 * On CUDA, the work is queued when the call returns. Read the outputs on the same stream, or with
 * pt2_tensor_to_host(), which waits. A device fault may surface in a later call. A call waits for
 * the device if its control flow or its sizes depend on values there: the predicate of `cond`, the
 * condition of `while_loop`, `item`, `nonzero` and other data-dependent sizes.
 *
 * @param[in] model The model.
 * @param[in] inputs `input_count` tensors in the order of pt2_input_info(). NULL stands for
 *   Python's None and for an input that is a constant of the program. A number is a tensor of one
 *   element on the CPU.
 * @param[in] input_count The number of inputs, which must be pt2_input_count().
 * @param[in] options The options, or NULL for the defaults.
 * @param[out] outputs Receives `output_count` new tensors. An entry is NULL if the output is None
 *   or a string, which pt2_output_info() reports. Numbers are 0-d tensors on the CPU.
 * @param[in] output_count The number of entries in `outputs`, which must be pt2_output_count().
 *
 * @return NULL on success. On failure, an error owned by the caller; `outputs` stays unmodified
 * and the model stays usable. If an operator fails, a program that writes to its state or inputs
 * may have written part of them.
 *
 * @par Ownership
 * Inputs are borrowed for the call and may be freed after it. The caller owns the outputs and
 * frees each with pt2_tensor_free(). They outlive the model. If the program returns an input or a
 * weight, the output shares its memory. A program that writes to its inputs writes to the caller's
 * memory.
 *
 * @par Thread safety
 * Thread-safe: any number of threads may run one model at the same time. If the program writes to
 * its own state (pt2_model_mutates()), calls of one model run one after the other. Calls of its
 * clones do not wait for each other. The same inputs give the same bits whatever other threads do,
 * provided that libtorch's kernels are deterministic.
 *
 * @since 0.1.0
 */
pt2_error *pt2_run(const pt2_model *model,
                   pt2_tensor *const *inputs,
                   size_t input_count,
                   const pt2_run_options *options,
                   pt2_tensor **outputs,
                   size_t output_count);

/**
 * @brief Runs the program once and writes its outputs to tensors of the caller.
 *
 * No memory is allocated for outputs that the caller did not choose. Outputs of a CUDA device can
 * go straight to the host.
 *
 * Each output tensor has the dtype and sizes of its output and any strides. It is on the device of
 * its output or on the CPU. Numbers are written to 0-d tensors of int64, float64 or bool.
 *
 * Output tensors may share memory with inputs, which are read before any output is written. They
 * must not overlap each other, nor a weight or state of any model in the process. No two elements
 * of one tensor may share an address. Overlaps are compared as in pt2_run().
 *
 * Properties that pt2_output_info() reports are checked before any operator runs. Sizes that vary
 * between calls are checked before any output is written.
 *
 * On CUDA, the work is queued when the call returns. If one of the output tensors is on the CPU,
 * the work is done when the call returns. Otherwise wait with pt2_tensor_to_host(), or read the
 * outputs on the same stream.
 *
 * @param[in] model The model.
 * @param[in] inputs `input_count` tensors, as for pt2_run().
 * @param[in] input_count The number of inputs, which must be pt2_input_count().
 * @param[in] options The options, or NULL for the defaults.
 * @param[in] outputs `output_count` existing tensors in the order of pt2_output_info(). NULL for
 *   an output that is not wanted, or that is None or a string.
 * @param[in] output_count The number of outputs, which must be pt2_output_count().
 *
 * @return NULL on success. On failure, an error owned by the caller; the model stays usable.
 * `PT2_ERROR_ARGUMENT` names an output tensor that does not fit; nothing was written then. If a
 * copy to the output tensors fails, some of them may have been written.
 *
 * @par Ownership
 * All tensors are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe, as pt2_run(). No other thread may use the output tensors during the call.
 *
 * @since 0.1.0
 */
pt2_error *pt2_run_into(const pt2_model *model,
                        pt2_tensor *const *inputs,
                        size_t input_count,
                        const pt2_run_options *options,
                        pt2_tensor *const *outputs,
                        size_t output_count);

/**
 * @brief Runs the program once, with inputs and outputs by name.
 *
 * All guarantees of pt2_run() apply.
 *
 * @param[in] model The model.
 * @param[in] input_names `input_count` names in any order and in any spelling that
 *   pt2_input_index() accepts. No input may be named twice. An input that is not named is passed
 *   as NULL.
 * @param[in] inputs The tensors for `input_names`.
 * @param[in] input_count The number of named inputs.
 * @param[in] output_names `output_count` names in any spelling that pt2_output_index() accepts.
 *   Outputs may be left out. An output that is named more than once is returned as several handles
 *   on one memory.
 * @param[out] outputs Receives one new tensor, or NULL, for each of `output_names`, as pt2_run()
 *   would return it.
 * @param[in] output_count The number of named outputs.
 * @param[in] options The options, or NULL for the defaults.
 *
 * @return NULL on success. On failure, an error owned by the caller; `outputs` stays unmodified
 * and the model stays usable. The error for an unknown name lists all names.
 *
 * @par Ownership
 * Names and inputs are borrowed for the call. The caller owns the outputs and frees each with
 * pt2_tensor_free().
 *
 * @par Thread safety
 * Thread-safe, as pt2_run().
 *
 * @since 0.1.0
 */
pt2_error *pt2_run_named(const pt2_model *model,
                         const char *const *input_names,
                         pt2_tensor *const *inputs,
                         size_t input_count,
                         const char *const *output_names,
                         pt2_tensor **outputs,
                         size_t output_count,
                         const pt2_run_options *options);

/**
 * @brief Prepares a model for inputs of given sizes, strides, dtypes and numbers.
 *
 * After a warm-up, the first such call costs no more than later ones. Call it once for each batch
 * size after pt2_load(). Returns when all work is done.
 *
 * Libraries select and keep their algorithms. On the CPU, the weights of convolutions are
 * prepacked for oneDNN and kept. The second call would do this otherwise, in more time than a
 * forward takes. On a CUDA device, a CUDA graph is captured unless `cuda_graphs` is negative.
 *
 * A warm-up changes nothing that a caller can observe, except the numbers of
 * pt2_model_statistics(), which count its runs. A program that writes to its state or inputs
 * writes to copies, which need memory during the call.
 *
 * @param[in] model The model.
 * @param[in] inputs `input_count` tensors, as for pt2_run(). Their values do not matter, unless
 *   the control flow of the program depends on values. Uninitialised memory is allowed.
 * @param[in] input_count The number of inputs, which must be pt2_input_count().
 * @param[in] options The options, or NULL for the defaults.
 *
 * @return NULL on success. On failure, an error owned by the caller. Inputs are checked as by
 * pt2_run().
 *
 * Two kinds of models are rejected with `PT2_ERROR_UNSUPPORTED`:
 *
 * - Programs that draw random numbers: their runs would advance the random number generators of
 *   the process.
 * - Compiled models: a package does not record whether it uses random numbers or mutates state.
 *
 * @par Ownership
 * All pointers are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe. cuDNN keeps part of its preparation for each thread, so warm up on the thread that
 * will run.
 *
 * @since 0.1.0
 */
pt2_error *pt2_warm(const pt2_model *model,
                    pt2_tensor *const *inputs,
                    size_t input_count,
                    const pt2_run_options *options);

/** @} */

/**
 * @defgroup pt2_state State
 * @brief Values that a program writes to, such as a KV cache: clones and resets.
 * @{
 */

/**
 * @brief Clones a model: the same program and weights with a state of its own.
 *
 * Use a clone for each conversation or each thread, for example.
 *
 * The state comprises all values that the program writes to: buffers, parameters and constants,
 * and all that share a storage with them. The state of the clone starts as the state of `model` at
 * the time of the call. Afterwards neither sees the writes of the other. Everything else is shared
 * memory, on the CPU and on CUDA. The clone of a program without state costs nothing.
 *
 * Weights that were set (pt2_swap_parameters()) are shared too. Weights that are set later affect
 * only one of the two. A model and its clones are equals: each may be run, cloned and freed in any
 * order.
 *
 * The state of compiled code is derived from the exported program in the package. In a package
 * without one, clones have copies of all weights except parameters. While compiled code is cloned,
 * its weights are in memory once more.
 *
 * @param[in] model The model.
 * @param[out] clone Receives the clone.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*clone` stays unmodified.
 *
 * @par Ownership
 * `model` is borrowed. The caller owns the clone and frees it with pt2_free(). Outputs that share
 * the memory of a weight share it with all clones, unless the program writes to that weight.
 *
 * @par Thread safety
 * Thread-safe. The clone sees all effects of calls of `model` that were made earlier, and none of
 * later calls. On CUDA, the call waits for the device.
 *
 * @since 0.1.0
 */
pt2_error *pt2_clone(const pt2_model *model, pt2_model **clone);

/**
 * @brief Resets the state of a model to its weights.
 *
 * pt2_clone() defines the state. Each value becomes the one in the archive or, if the weight was
 * set, the one that it was set to. Clones keep their states. Inputs that the program wrote to keep
 * their contents.
 *
 * On CUDA, the work is queued on the stream, as that of a run is.
 *
 * @param[in] model The model.
 * @param[in] options The options, or NULL for the defaults.
 *
 * @return NULL on success. On failure, an error owned by the caller.
 *
 * @par Ownership
 * All pointers are borrowed for the call. Outputs that share memory with the state change with it.
 *
 * @par Thread safety
 * Thread-safe. Runs and resets of one model run one after the other.
 *
 * @since 0.1.0
 */
pt2_error *pt2_reset_state(const pt2_model *model, const pt2_run_options *options);

/** @} */

/**
 * @defgroup pt2_weights Weights
 * @brief Reading, setting, resetting and sharing weights by name.
 * @{
 */

/**
 * @brief The role of a weight in the exported module.
 *
 * @since 0.1.0
 */
typedef enum {
  /**
   * @brief A parameter.
   * @since 0.1.0
   */
  PT2_PARAMETER = 1,
  /**
   * @brief A buffer in the state dict.
   * @since 0.1.0
   */
  PT2_BUFFER = 2,
  /**
   * @brief A buffer that is not in the state dict (non-persistent).
   * @since 0.1.0
   */
  PT2_TEMPORARY_BUFFER = 3,
  /**
   * @brief A tensor that was a constant in the Python code.
   * @since 0.1.0
   */
  PT2_CONSTANT = 4,
} pt2_parameter_kind;

/**
 * @brief The description of one weight.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_parameter)`, set by the caller.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The fully qualified name, such as `layers.0.weight`. Valid as long as the model
   * lives.
   * @since 0.1.0
   */
  const char *name;
  /**
   * @brief The role of the weight, a `pt2_parameter_kind`.
   * @since 0.1.0
   */
  int32_t kind;
  /**
   * @brief The element type, a `pt2_dtype`.
   * @since 0.1.0
   */
  int32_t dtype;
  /**
   * @brief The number of dimensions.
   * @since 0.1.0
   */
  size_t rank;
  /**
   * @brief `rank` sizes. Valid as long as the model lives.
   * @since 0.1.0
   */
  const int64_t *sizes;
  /**
   * @brief `rank` strides, counted in elements. Valid as long as the model lives.
   * @since 0.1.0
   */
  const int64_t *strides;
} pt2_parameter;

/**
 * @brief Returns the number of weights of a program.
 *
 * Weights are parameters, buffers and tensors that were constants.
 *
 * @param[in] model The model, or NULL.
 *
 * @return The number of weights. 0 for NULL.
 *
 * @par Ownership
 * `model` is borrowed.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
size_t pt2_parameter_count(const pt2_model *model);

/**
 * @brief Describes one weight, as the archive stores it.
 *
 * @param[in] model The model.
 * @param[in] index The index of the weight, counted from 0 in the program's order.
 * @param[in,out] parameter The description. The caller sets its `struct_size`, and that many bytes
 *   are filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*parameter` stays
 * unmodified.
 *
 * @par Ownership
 * Both pointers are borrowed. Strings and arrays in `parameter` are valid as long as the model
 * lives.
 *
 * @par Thread safety
 * Thread-safe.
 *
 * @since 0.1.0
 */
pt2_error *pt2_parameter_info(const pt2_model *model, size_t index, pt2_parameter *parameter);

/**
 * @brief Returns the current value of a weight, on the model's device.
 *
 * A weight that belongs to the state (pt2_clone()) is returned as a copy, taken after earlier
 * calls and before later ones. Every weight of compiled code is returned as a copy, taken between
 * two calls.
 *
 * Every other weight shares memory with the model, or with the tensor that it was set to. It must
 * not be written to: copy it to change it. Calls refuse to write there: pt2_run() for an input
 * that the program writes to, and pt2_run_into() for an output tensor.
 *
 * A weight that was needed only for constant folding is read from the archive again: on the CPU as
 * pages of the archive, on CUDA as a copy.
 *
 * @param[in] model The model.
 * @param[in] name The fully qualified name, such as `layers.0.weight`.
 * @param[out] tensor Receives a new handle.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*tensor` stays unmodified.
 *
 * @par Ownership
 * `model` and `name` are borrowed for the call. The caller owns the handle and frees it with
 * pt2_tensor_free(). It outlives the model and keeps its value when the weight is set to another
 * tensor.
 *
 * @par Thread safety
 * Thread-safe, also while the model runs. On CUDA, the call waits for the device if it copies.
 *
 * @since 0.1.0
 */
pt2_error *pt2_get_parameter(const pt2_model *model, const char *name, pt2_tensor **tensor);

/**
 * @brief Sets one weight.
 *
 * The call is pt2_swap_parameters() with one name.
 *
 * @param[in] model The model.
 * @param[in] name The fully qualified name.
 * @param[in] tensor The new value.
 *
 * @return NULL on success. On failure, an error owned by the caller, which names the weight;
 * nothing is changed.
 *
 * @par Ownership
 * The arguments are borrowed for the call, and the memory of the tensor for longer: see
 * pt2_swap_parameters().
 *
 * @par Thread safety
 * Thread-safe, also while the model runs.
 *
 * @since 0.1.0
 */
pt2_error *pt2_set_parameter(const pt2_model *model, const char *name, const pt2_tensor *tensor);

/**
 * @brief Sets several weights at once, between calls.
 *
 * Calls in flight finish on the old weight set. Each call runs on the old set or on the new one,
 * never on a mixture. Calls do not wait for the exchange. The exception is a program that writes
 * to its state: its calls and the exchange run one after the other.
 *
 * Values that are computed from weights alone, such as folded batch norms and prepacked or
 * converted weights, are computed again before the exchange. This covers only those that depend on
 * the given weights. It happens on this thread, in parallel with calls. Before the first run,
 * these are the values that the load computed; the first run computes the others. The computation
 * costs as much as the first time. Its memory is needed twice until the last call on the old set
 * is done. Captured CUDA graphs hold the addresses of weights: they are dropped, and captured
 * again after a few calls.
 *
 * Weights that share memory continue to share it, as with `load_state_dict`
 * (`torch/nn/modules/module.py`, PyTorch 2.11). A tied weight changes under all its names. A view
 * of a larger buffer changes that part of the buffer. Setting several of them to different values
 * is refused.
 *
 * A weight that the program writes to gets the value as its new state, and as the value that
 * pt2_reset_state() restores. The state of other weights is kept.
 *
 * For compiled code (`PT2_FORM_COMPILED`), the exchange takes place between two calls, and later
 * calls wait for it. Values that the compiler built into the code are not among its weights.
 *
 * Only this model changes. A clone starts with the weights of its original at that time. Later
 * exchanges affect only one of the two, and common weights stay shared. pt2_share_parameters()
 * passes the weights of one to another.
 *
 * @param[in] model The model.
 * @param[in] names `count` fully qualified names. No name may appear twice.
 * @param[in] tensors `count` tensors for these names. None may be NULL. Each has the weight's
 *   dtype and sizes, is on the model's device and has any strides. On CUDA, the call waits for all
 *   queued work, so tensors may still be being filled.
 * @param[in] count The number of names.
 *
 * @return NULL on success. On failure, an error owned by the caller, which names the weight;
 * nothing is changed. `PT2_ERROR_ARGUMENT` for a name that the program does not have, that appears
 * twice or that has no tensor. `PT2_ERROR_WEIGHT` for a tensor that does not fit.
 *
 * @par Ownership
 * All arguments are borrowed for the call, and the memory of the tensors for longer. The model
 * shares the memory of a tensor that has the weight's strides (pt2_parameter_info()) and is
 * aligned to 64 bytes on the CPU or 512 bytes on CUDA. libtorch's allocators align in the same way
 * (`c10/core/alignment.h` and `c10/core/AllocatorConfig.h`, PyTorch 2.11). All other models that
 * are set to it share it too. That memory must not be written to until its release function is
 * called. Otherwise, and for a weight that the program writes to, the model keeps a copy. Shared
 * memory is released when no model, no call in flight and no output uses it.
 *
 * @par Thread safety
 * Thread-safe, also while the model runs. Exchanges of one model run one after the other.
 *
 * @since 0.1.0
 */
pt2_error *pt2_swap_parameters(const pt2_model *model,
                               const char *const *names,
                               pt2_tensor *const *tensors,
                               size_t count);

/**
 * @brief Resets weights to the values in the archive.
 *
 * The exchange works as in pt2_swap_parameters(). Outputs have the same bits as before the weights
 * were set.
 *
 * The bytes of the archive are used in place. On the CPU they are pages of the file
 * (`pt2_memory`), so neither setting nor resetting keeps a second copy. On CUDA they are copied to
 * the device again.
 *
 * A weight that the program writes to starts again with the value in the archive if it is among
 * the names. Otherwise it keeps its state (pt2_reset_state()).
 *
 * @param[in] model The model.
 * @param[in] names `count` fully qualified names. Each is reset with all weights that share its
 *   memory. NULL with a `count` of 0 means all weights that were set.
 * @param[in] count The number of names.
 *
 * @return NULL on success. On failure, an error owned by the caller; nothing is changed.
 *
 * @par Ownership
 * All arguments are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe, also while the model runs. Exchanges of one model run one after the other.
 *
 * @since 0.1.0
 */
pt2_error *pt2_reset_parameters(const pt2_model *model, const char *const *names, size_t count);

/**
 * @brief Gives a model the weight set of one of its clones.
 *
 * Values computed from the weights are shared too: nothing is copied and nothing is computed. Set
 * the weights of one clone, then share them with the others. Compiled code is the exception: it
 * computes its folded constants again, and copies the constants that it may write to
 * (pt2_clone()).
 *
 * The state of `model` is kept. pt2_reset_state() resets it to the weights of `source`.
 *
 * @param[in] model The model that receives the weights.
 * @param[in] source The model with the weights: a clone of `model`, or its original, or a clone of
 *   the same original.
 *
 * @return NULL on success. On failure, an error owned by the caller; nothing is changed.
 *
 * @par Ownership
 * Both models are borrowed. Either may be freed afterwards.
 *
 * @par Thread safety
 * Thread-safe, also while both run. The exchange works as in pt2_swap_parameters().
 *
 * @since 0.1.0
 */
pt2_error *pt2_share_parameters(const pt2_model *model, const pt2_model *source);

/** @} */

/**
 * @defgroup pt2_statistics Statistics
 * @brief Counters of CUDA graphs.
 * @{
 */

/**
 * @brief Counters of the runs of a model.
 *
 * @since 0.1.0
 */
typedef struct {
  /**
   * @brief `sizeof(pt2_statistics)`, set by the caller.
   * @since 0.1.0
   */
  size_t struct_size;
  /**
   * @brief The number of CUDA graphs that are kept now. Setting weights drops them; they are
   * captured again after a few calls.
   * @since 0.1.0
   */
  uint64_t cuda_graphs;
  /**
   * @brief The number of runs that were the launch of a CUDA graph.
   * @since 0.1.0
   */
  uint64_t cuda_graph_launches;
  /**
   * @brief The reason why the program, or inputs of some sizes, run operator by operator on a
   * CUDA device. NULL if there is none. The first reason found is kept. Valid as long as the
   * model lives.
   * @since 0.1.0
   */
  const char *cuda_graph_refusal;
} pt2_statistics;

/**
 * @brief Returns the counters of a model.
 *
 * @param[in] model The model.
 * @param[in,out] statistics The counters. The caller sets its `struct_size`, and that many bytes
 *   are filled.
 *
 * @return NULL on success. On failure, an error owned by the caller; `*statistics` stays
 * unmodified.
 *
 * @par Ownership
 * The arguments are borrowed for the call.
 *
 * @par Thread safety
 * Thread-safe, also while the model runs.
 *
 * @since 0.1.0
 */
pt2_error *pt2_model_statistics(const pt2_model *model, pt2_statistics *statistics);

/** @} */

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  /* PT2_H */
