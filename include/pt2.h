/* libpt2: runs PyTorch programs saved by torch.export.save (.pt2), on CPU and CUDA, with no Python.
 *
 *   pt2_model *model = NULL;
 *   pt2_error *error = pt2_load("model.pt2", NULL, &model);
 *   if (error == NULL) error = pt2_run(model, inputs, input_count, NULL, outputs, output_count);
 *   if (error != NULL) fprintf(stderr, "%s\n", pt2_error_message(error));
 *
 * Errors. A function that can fail returns NULL, or an error that the caller frees. It has a number that is fixed
 * for ever and a sentence, and refers to no other object. There is no partial success: on an error nothing was
 * written to the places for results and nothing was taken over. Every handle stays usable.
 *
 * Ownership. What a function hands out belongs to the caller, who frees it with the function for its kind: models
 * with pt2_free, tensors with pt2_tensor_free, errors with pt2_error_free. Freeing NULL is fine. What a function
 * takes is borrowed for the call, except memory that a tensor is made on, which is borrowed until it is released.
 * Tensors share memory and keep it alive: outputs outlive their model.
 *
 * Threads. Any number of threads may load, run, clone and ask at once. A model whose program writes to its own
 * state runs one call at a time; its clones have states of their own and do not wait for each other. Weights may be
 * set while calls run: each call has the old ones or the new ones. A tensor or an error may be read by many threads
 * or freed by one. Nothing is kept per thread. The same inputs give the same bits whatever other threads do, where libtorch's kernels are
 * deterministic.
 *
 * Memory. What calls on the CPU work in is kept for later calls, a share for each that is inside at once but for no more
 * than the processor has cores, and given back by pt2_free; also when eight calls in a row needed less than half of it. Large outputs lie there until they are freed.
 *
 * Host memory that runs out during a call is PT2_ERROR_OUT_OF_MEMORY. Handles stay usable, and the error takes no
 * memory. Blocks of up to 8 MiB that the system refuses to libpt2, libtorch, oneDNN or libgomp come from a reserve of
 * 32 MiB of address space until the call can fail: between two operators of a run, between two stages of a load. The
 * process may still end where one operator needs more than the reserve, where code other than libtorch's allocator is
 * refused a larger block, while the first call opens libtorch, and in threads that begin at that moment (SECURITY.md).
 * The reserve is for calls on the CPU; CUDA's libraries have none.
 *
 * Inputs. Every input is checked on every run, before anything runs; the error names the input, what was expected
 * and what came. The values in it are not checked. Every pointer may be NULL without harm: where the description
 * does not allow it, the call fails. A pointer that is neither NULL nor as described is undefined behaviour.
 *
 * Archives. Loading is meant to be safe for a file of any origin, in time and memory in proportion to the file: the
 * limits are in SECURITY.md. Loading, cloning, asking, setting weights before the first run and freeing run no
 * operator of the program. Running is not safe: libtorch is no sandbox, so run
 * programs that you do not trust in one. Operators that open files, print, talk to other processes or take
 * addresses are refused at load unless the caller allows them, and so are those of libraries outside libtorch that
 * were not loaded with pt2_load_op_library. Code that AOTInductor compiled is native code: it is loaded only where
 * the caller allows it, and no part of an archive is ever compiled.
 *
 * libtorch. This library needs nothing but the C library to be linked and started. The first call that needs libtorch
 * opens it, with the other half of libpt2 that lies beside this one: 0.2 to 0.4 s, in which a CUDA device that is named in
 * the options of that load is started, too. pt2_libtorch_version() does so ahead. Where that fails, every call that
 * needs it fails with PT2_ERROR_LIBTORCH, for the life of the process. pt2_version and freeing NULL never need it.
 *
 * Stacks. Threads with 96 KiB of stack can load, run and free. No archive makes a stack executable.
 *
 * The process. No panic and no C++ exception leaves a call; callbacks of the caller must not throw. libpt2 prints
 * nothing, never exits, and writes no environment variables; it reads TMPDIR where CUDA kernels need a folder. The
 * library stays resident after dlclose. It finds its files by the folder that it was loaded from.
 *
 * Exit. exit() and a return from main wait for calls of other threads, at most 10 s. A run ends between two operators
 * with PT2_ERROR_EXITING, as every later call does; freeing does nothing then. A single operator, a load or a call of
 * compiled code that takes longer is overtaken, and the process may crash. While a call opens libraries, as the first
 * call does, only an exit of the main thread waits, and only if the main thread loaded libpt2.so, by linking or by
 * dlopen: exit() in another thread may crash then. _exit and quick_exit wait for nothing.
 *
 * Fork. Fork before the first call, or execute a new program in the child. In a child that was forked later every call
 * fails with PT2_ERROR_FORKED; questions work, and freeing does nothing.
 *
 * Signals. libpt2 installs no handlers and changes no mask; interrupted system calls are repeated. No function may be
 * called from a handler.
 *
 * Cancellation. Cancellation of a thread, of either type, is disabled during a call and acts after it. The results of
 * a call that is cancelled so are lost unless the host frees them.
 *
 * Floating point. Calls compute in the default environment of the C library, in every thread that they use. The
 * caller's is restored when they return, exception flags included. Callbacks run in the default environment. A library
 * that changes the environment while it is loaded changes it for its initialisers only.
 *
 * Limits of the process. Where threads cannot be created, calls use those that there are. It is tried before libtorch
 * asks for threads: if others take them meanwhile, libgomp ends the process. 96 KiB of stack were enough for every call
 * that was tried; custom operators may need more. Where memory that was written may not become executable
 * (MemoryDenyWriteExecute), oneDNN is not used, which is slower. libtorch calls its own BLAS, LAPACK and thread pool,
 * whatever names the host exports; malloc and OpenMP are the host's where it brings its own. Where functions of OpenMP
 * come from two libraries, every call fails with PT2_ERROR_LIBTORCH.
 *
 * Versions. Structs begin with their size: set `struct_size` to the sizeof that you compile with, and an old
 * program keeps working with a newer library. Numbers of enums never change meaning; newer libraries may add some.
 *
 * Generated by cbindgen from src/capi; `make header` writes it. */

#ifndef PT2_H
#define PT2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of dlpack/dlpack.h (version 1), which need not be there. */
struct DLManagedTensorVersioned;

/**
 * What kind of error it is. The numbers are fixed for ever; a newer library may add some.
 */
typedef enum {
  /**
   * An argument of the call itself is wrong: NULL, an unknown option, a name that does not exist.
   */
  PT2_ERROR_ARGUMENT = 1,
  /**
   * The operating system refused to open, read or map the file.
   */
  PT2_ERROR_IO = 2,
  /**
   * The file is no archive, or one that could be read in two ways.
   */
  PT2_ERROR_ARCHIVE = 3,
  /**
   * An entry's bytes are not those that were written.
   */
  PT2_ERROR_CHECKSUM = 4,
  /**
   * The archive is well formed but needs something that this library does not offer.
   */
  PT2_ERROR_UNSUPPORTED = 5,
  /**
   * The program in the archive contradicts itself or its schema.
   */
  PT2_ERROR_PROGRAM = 6,
  /**
   * A stored tensor is missing, its description does not fit its bytes, or a tensor does not fit the weight that
   * it is given for.
   */
  PT2_ERROR_WEIGHT = 7,
  /**
   * The program calls operators that this process does not have; the message lists them all.
   */
  PT2_ERROR_MISSING_OPERATOR = 8,
  /**
   * An input has the wrong count, kind, dtype, device, rank or size.
   */
  PT2_ERROR_INPUT = 9,
  /**
   * The device that was asked for cannot be used.
   */
  PT2_ERROR_DEVICE = 10,
  /**
   * The device failed; it is lost for the life of the process.
   */
  PT2_ERROR_DEVICE_LOST = 11,
  /**
   * Host memory ran out. Handles stay usable.
   */
  PT2_ERROR_OUT_OF_MEMORY = 12,
  /**
   * Device memory ran out. Handles stay usable.
   */
  PT2_ERROR_DEVICE_OUT_OF_MEMORY = 13,
  /**
   * An operator refused its arguments or failed; the message names the node and the exported Python.
   */
  PT2_ERROR_OPERATOR = 14,
  /**
   * libtorch failed outside any node, or libpt2 has a bug.
   */
  PT2_ERROR_INTERNAL = 15,
  /**
   * The program calls operators that may reach files, memory or other processes; the message lists them all.
   * `allowed_operators` of `pt2_load_options` lets them pass.
   */
  PT2_ERROR_FORBIDDEN_OPERATOR = 16,
  /**
   * The archive holds code that was compiled for another platform, processor, CUDA device or PyTorch; the message
   * gives both values of all that differs. Nothing of it was executed.
   */
  PT2_ERROR_OTHER_MACHINE = 17,
  /**
   * The archive holds compiled code that was not loaded: `allow_native_code` of `pt2_load_options` is not set, its
   * SHA-256 is not the expected one, or the dynamic loader refused it.
   */
  PT2_ERROR_NATIVE_CODE = 18,
  /**
   * libtorch could not be loaded, or one half of libpt2 is missing; the message says which file and why. It is so for
   * the life of the process.
   */
  PT2_ERROR_LIBTORCH = 19,
  /**
   * The process is the child of a fork that came after the first call: libtorch's threads are not in it. Freeing and
   * questions still work.
   */
  PT2_ERROR_FORKED = 20,
  /**
   * The process is exiting.
   */
  PT2_ERROR_EXITING = 21,
} pt2_status;

/**
 * The element type of a tensor. The numbers are those of `torch/_export/serde/schema.py` (2.11).
 */
typedef enum {
  PT2_DTYPE_UINT8 = 1,
  PT2_DTYPE_INT8 = 2,
  PT2_DTYPE_INT16 = 3,
  PT2_DTYPE_INT32 = 4,
  PT2_DTYPE_INT64 = 5,
  PT2_DTYPE_FLOAT16 = 6,
  PT2_DTYPE_FLOAT32 = 7,
  PT2_DTYPE_FLOAT64 = 8,
  PT2_DTYPE_COMPLEX32 = 9,
  PT2_DTYPE_COMPLEX64 = 10,
  PT2_DTYPE_COMPLEX128 = 11,
  PT2_DTYPE_BOOL = 12,
  PT2_DTYPE_BFLOAT16 = 13,
  PT2_DTYPE_UINT16 = 28,
  PT2_DTYPE_FLOAT8_E4M3FN = 29,
  PT2_DTYPE_FLOAT8_E5M2 = 30,
  PT2_DTYPE_FLOAT8_E4M3FNUZ = 31,
  PT2_DTYPE_FLOAT8_E5M2FNUZ = 32,
  PT2_DTYPE_FLOAT8_E8M0FNU = 33,
  PT2_DTYPE_UINT32 = 34,
  PT2_DTYPE_UINT64 = 35,
} pt2_dtype;

/**
 * How far a program may be rewritten before it runs.
 */
typedef enum {
  /**
   * The library's choice: `PT2_OPTIMIZATION_FAST`.
   */
  PT2_OPTIMIZATION_DEFAULT = 0,
  /**
   * Outputs are, bit for bit, those of the exported program run by PyTorch on the same device.
   */
  PT2_OPTIMIZATION_EXACT = 1,
  /**
   * Operations may be regrouped at the same precision settings: outputs are as near to the true result as
   * PyTorch's, but not the same to the last bit. Sizes, strides and dtypes are the same.
   */
  PT2_OPTIMIZATION_FAST = 2,
} pt2_optimization;

/**
 * Where the bytes of the archive are kept while the model, or an output that shares its weights, lives.
 */
typedef enum {
  /**
   * `PT2_MEMORY_MAP`, unless someone else may change the file (group or others may write it, its owner is
   * neither this user nor root, or it lies on a network or FUSE file system): then `PT2_MEMORY_COPY`.
   */
  PT2_MEMORY_AUTO = 0,
  /**
   * Private pages of the file. Loads at once and shares the page cache; writes never reach the file. Pages of
   * weights that the load rewrote are given back. While the model or any output of it lives, the file must not
   * shrink (SIGBUS) and must not be written.
   */
  PT2_MEMORY_MAP = 1,
  /**
   * A copy. The file may change or vanish once `pt2_load` has returned.
   */
  PT2_MEMORY_COPY = 2,
} pt2_memory;

/**
 * What kind of value a port is.
 */
typedef enum {
  /**
   * A tensor.
   */
  PT2_KIND_TENSOR = 1,
  /**
   * An int; passed and returned as a 0-d tensor.
   */
  PT2_KIND_INT = 2,
  /**
   * A float; passed and returned as a 0-d tensor.
   */
  PT2_KIND_FLOAT = 3,
  /**
   * A bool; passed and returned as a 0-d tensor.
   */
  PT2_KIND_BOOL = 4,
  /**
   * A string that was fixed at export; passed and returned as NULL.
   */
  PT2_KIND_STRING = 5,
  /**
   * Python's None; passed and returned as NULL.
   */
  PT2_KIND_NONE = 6,
  /**
   * An object that no caller can pass.
   */
  PT2_KIND_OBJECT = 7,
} pt2_kind;

/**
 * The form of a model: an archive may hold a program, code compiled from it, or both.
 */
typedef enum {
  /**
   * The compiled one if `allow_native_code` is set and it fits this machine and the device that was asked for,
   * else the exported program.
   */
  PT2_FORM_AUTO = 0,
  /**
   * The exported program.
   */
  PT2_FORM_EXPORTED = 1,
  /**
   * Code compiled by AOTInductor (`torch._inductor.aoti_compile_and_package`).
   */
  PT2_FORM_COMPILED = 2,
} pt2_form;

/**
 * What a weight was in the exported module.
 */
typedef enum {
  /**
   * A parameter.
   */
  PT2_PARAMETER = 1,
  /**
   * A buffer of the state dict.
   */
  PT2_BUFFER = 2,
  /**
   * A buffer that is not in the state dict.
   */
  PT2_TEMPORARY_BUFFER = 3,
  /**
   * A tensor that was a constant of the Python code.
   */
  PT2_CONSTANT = 4,
} pt2_parameter_kind;

/**
 * Why a call failed. It belongs to the caller, who frees it with `pt2_error_free`; it refers to no other
 * object, and may be read by any thread.
 */
typedef struct pt2_error pt2_error;

/**
 * A loaded program with its weights on one device. Any number of threads may run it and ask about it at once, and
 * they share one copy of the weights. What its program writes to is the model's own state, see `pt2_clone`.
 */
typedef struct pt2_model pt2_model;

/**
 * A tensor: memory with an element type, sizes and strides on a device. Handles share memory by reference
 * counting. One thread at a time may use a handle, except that any number may read it.
 */
typedef struct pt2_tensor pt2_tensor;

/**
 * How a program is loaded. Set every byte to zero and `struct_size` to `sizeof(pt2_load_options)`; zero means
 * the default in every field.
 */
typedef struct {
  /**
   * `sizeof(pt2_load_options)`.
   */
  size_t struct_size;
  /**
   * `"cpu"`, `"cuda"` (the first device) or `"cuda:N"`; NULL for the device it was exported on. A program
   * exported on one device loads on any other. All of its devices become this one. Sizes and dtypes of its outputs
   * are those recorded in the archive; strides are those that the device's kernels choose. Operators that the
   * device has no kernel for, and that cannot be expressed by others, make the load fail with
   * `PT2_ERROR_UNSUPPORTED`.
   */
  const char *device;
  /**
   * The name of the model in an archive that holds several; NULL for the only one.
   */
  const char *model;
  /**
   * A `pt2_optimization`.
   */
  int32_t optimization;
  /**
   * A `pt2_memory`.
   */
  int32_t memory;
  /**
   * Not 0: stored checksums are not compared with the bytes. Damaged weights then load silently.
   */
  int32_t skip_checksums;
  /**
   * Not 0: libtorch's CUDA library is not loaded. Only the first load of a process decides this; after it,
   * loading on `"cuda"` fails for the life of the process.
   */
  int32_t without_cuda;
  /**
   * Operators that may run although they reach outside of tensors (open files, print, talk to other processes),
   * come from a library that was not loaded on purpose, or break memory by one crafted argument and are used by
   * no exported model (constructors of sparse tensors that check nothing, losses and poolings backward). A program
   * that calls one without permission is refused with `PT2_ERROR_FORBIDDEN_OPERATOR`, which says why. Each is an operator as that error spells it, or without its overload for all
   * of them, or a namespace followed by two colons and an asterisk. NULL for none.
   */
  const char *const *allowed_operators;
  /**
   * How many strings `allowed_operators` holds.
   */
  size_t allowed_operator_count;
  /**
   * How many CUDA graphs may be kept: after a few calls with inputs of the same sizes, strides, dtypes and
   * numbers, later ones are one launch with the same bits as outputs. 0 for the default (16), negative for none.
   * Each keeps memory for its inputs and outputs; what lies between them is shared by all of a model.
   * `pt2_model_statistics` tells what was recorded. Ignored on the CPU.
   */
  int64_t cuda_graphs;
  /**
   * Not 0: code that AOTInductor compiled may be loaded, which executes it with all the rights of this process.
   * Without it an archive that holds nothing else is refused with `PT2_ERROR_NATIVE_CODE`.
   */
  int32_t allow_native_code;
  /**
   * A `pt2_form`.
   */
  int32_t form;
  /**
   * The SHA-256 that the native code must have, in 64 hexadecimal digits; NULL for any. It is compared with the
   * bytes that are then executed: those of the shared library. Where the archive brings CUDA kernels in files of
   * their own, it is the SHA-256 of the lines `<SHA-256>  <file name>` of library and kernels, in the order of the
   * file names. `pt2 inspect` prints it. If it is set, the compiled form is loaded or nothing.
   */
  const char *native_code_sha256;
  /**
   * How many calls may be inside of compiled code at once; the others wait in the order in which they came. 0 for
   * the default: as many as the processor has cores (at most 8) on the CPU, and 1 on CUDA. Code that writes to its
   * own buffers has 1; so has code in an archive without its program, where nobody tells whether it does, unless
   * another number vouches for it.
   */
  size_t instances;
  /**
   * An existing folder in which a folder of links to CUDA kernels is kept while the model lives; NULL for the
   * system's folder of temporary files. Nothing else of compiled code is ever a file.
   */
  const char *kernel_folder;
  /**
   * An existing folder that may be written; NULL for none. With it, the first call with inputs of new sizes
   * measures on a CUDA device which of cuDNN's ways to compute each convolution is fastest, which takes seconds, and
   * later calls use that. What was measured is kept there in a file for the GPU, the versions of libtorch and cuDNN
   * and the program, so that later processes measure nothing. Ignored on the CPU, at `PT2_OPTIMIZATION_EXACT` and
   * for compiled code.
   */
  const char *tuning_folder;
} pt2_load_options;

/**
 * How a program is run. Set every byte to zero and `struct_size` to `sizeof(pt2_run_options)`.
 */
typedef struct {
  /**
   * `sizeof(pt2_run_options)`.
   */
  size_t struct_size;
  /**
   * A `cudaStream_t` of the model's device on which all work is queued; NULL for the calling thread's
   * current stream of libtorch, which is the default stream unless the host changed it. Ignored on the CPU.
   */
  void *stream;
} pt2_run_options;

/**
 * A weight that a program takes.
 */
typedef struct {
  /**
   * `sizeof(pt2_parameter)`, set by the caller.
   */
  size_t struct_size;
  /**
   * The fully qualified name, such as `layers.0.weight`. Lives as long as the model.
   */
  const char *name;
  /**
   * A `pt2_parameter_kind`.
   */
  int32_t kind;
  /**
   * A `pt2_dtype`.
   */
  int32_t dtype;
  /**
   * How many dimensions it has.
   */
  size_t rank;
  /**
   * Its sizes, as many as its rank. Lives as long as the model.
   */
  const int64_t *sizes;
  /**
   * Its strides, counted in elements, as many as its rank. Lives as long as the model.
   */
  const int64_t *strides;
} pt2_parameter;

/**
 * How a model's runs were launched. Set `struct_size` to `sizeof(pt2_statistics)`.
 */
typedef struct {
  /**
   * `sizeof(pt2_statistics)`.
   */
  size_t struct_size;
  /**
   * CUDA graphs that are kept now. They go when weights are set, and come again after a few calls.
   */
  uint64_t cuda_graphs;
  /**
   * Runs that were the launch of a CUDA graph.
   */
  uint64_t cuda_graph_launches;
  /**
   * Why the program, or inputs of some sizes, run operator by operator on a CUDA device: the reason that was
   * found first. NULL if there is none. The text lives as long as the model.
   */
  const char *cuda_graph_refusal;
} pt2_statistics;

/**
 * What a program takes or gives in one place.
 */
typedef struct {
  /**
   * `sizeof(pt2_port_info)`, set by the caller.
   */
  size_t struct_size;
  /**
   * The path a Python user would write, such as `args[0]` or `kwargs["mask"]`. Lives as long as the model.
   */
  const char *name;
  /**
   * A `pt2_kind`.
   */
  int32_t kind;
  /**
   * A `pt2_dtype` for a tensor, else 0. 0 for a tensor too where the archive does not tell, which is so for the
   * outputs of compiled code without its program beside it; then `rank` is 0 as well.
   */
  int32_t dtype;
  /**
   * How many dimensions a tensor has, else 0.
   */
  size_t rank;
  /**
   * The value of a port that was fixed at export, else NULL: a string as it is, in UTF-8, with U+FFFD for a NUL
   * in it; any other kind as Python spells it, such as `None`, `True`, `-3` or `0.5`. Lives as long as the model.
   */
  const char *constant;
} pt2_port_info;

/**
 * One dimension of a tensor port.
 */
typedef struct {
  /**
   * `sizeof(pt2_dimension)`, set by the caller.
   */
  size_t struct_size;
  /**
   * The size in elements, or -1 where it varies.
   */
  int64_t size;
  /**
   * The symbol or expression of a size that varies, such as `s77` or `2*s77`; NULL for a fixed size. Ports
   * with the same symbol have the same size in one call. Lives as long as the model.
   */
  const char *symbol;
  /**
   * The smallest size that calls accept, or -1 where it is not bounded. As in PyTorch, an exported lower bound
   * of 1 or 2 is not enforced and 0 stands here. Compiled packages enforce every lower bound.
   */
  int64_t min;
  /**
   * The largest size that calls accept, or -1 where it is not bounded.
   */
  int64_t max;
} pt2_dimension;

/**
 * Called once with the context it was given with, when libpt2 no longer uses the memory; from whichever thread
 * lets go last, so it must not call back into libpt2 and must not throw.
 */
typedef void (*pt2_release)(void *context);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of libpt2, such as `0.1.0`.
 *
 * Returns a text that is never NULL.
 *
 * Ownership: the text is static. Threads: any number at once.
 */
const char *pt2_version(void);

/**
 * The version of the libtorch in this process, such as `2.11.0`.
 *
 * Returns a text that is never NULL.
 *
 * Ownership: the text is static. Threads: any number at once.
 */
const char *pt2_libtorch_version(void);

/**
 * Sets how many threads one operator may use on the CPU, for the whole process and every model in it.
 *
 * Parameters: `count` must be positive; anything else is ignored.
 *
 * Threads: any thread, before the first run: libtorch keeps this per process.
 */
void pt2_set_cpu_threads(int32_t count);

/**
 * The kind of an error.
 *
 * Returns a `pt2_status`; 0 for NULL. A newer library may return numbers that this header does not list.
 *
 * Ownership: `error` is borrowed. Threads: any number may read an error at once.
 */
int32_t pt2_error_code(const pt2_error *error);

/**
 * What went wrong: one sentence in UTF-8 that names the input, node or entry and says what to do.
 *
 * Returns a text that is never NULL; it is empty for NULL.
 *
 * Ownership: the text belongs to the error and lives until the error is freed. Threads: any number may read an
 * error at once.
 */
const char *pt2_error_message(const pt2_error *error);

/**
 * Which input is to blame.
 *
 * Returns the input's path name, such as `args[0]`; NULL where no single input is to blame, and for NULL.
 *
 * Ownership: the text belongs to the error and lives until the error is freed. Threads: any number may read an
 * error at once.
 */
const char *pt2_error_input(const pt2_error *error);

/**
 * Frees an error.
 *
 * Parameters: `error` may be NULL. It must not be used or freed again.
 *
 * Threads: any thread, while no other uses the error.
 */
void pt2_error_free(pt2_error *error);

/**
 * Loads a library that registers operators with libtorch, such as torchvision's. Programs that are loaded
 * afterwards may call what it brings.
 *
 * Parameters: `path` is the file, a NUL-terminated string in the bytes of the file system; no folders are searched.
 * The library must fit the libtorch in this process and may need no Python.
 *
 * Returns NULL, or an error with what the dynamic loader says; it names the library that is missing where the file needs
 * one that is not found. A library that the process had loaded before by
 * other means brings nothing new: name its operators in `allowed_operators` of `pt2_load_options`.
 *
 * libtorch ends the process if two libraries define the same namespace, for the dynamic loader lets no exception
 * of a library's initialisers through.
 *
 * Ownership: `path` is borrowed for the call. The library stays for the life of the process. Its code runs with
 * all the rights of the process, from this call on.
 *
 * Threads: any thread; libraries are loaded one after the other. As the first call of a process it lets libtorch
 * load its CUDA library where there is a driver.
 */
pt2_error *pt2_load_op_library(const char *path);

/**
 * Loads a program that `torch.export.save` wrote, or code that `torch._inductor.aoti_compile_and_package` compiled.
 *
 * Parameters: `path` is the file, a NUL-terminated string in the bytes of the file system. `options` may be NULL.
 * `model` receives the handle.
 *
 * Returns NULL, or an error, and then `model` is untouched. Before this returns, all stored bytes that are used
 * are compared with their checksums, every operator is looked up and every input is described. A damaged or
 * hostile archive gives an error. No operator of the program runs before the first `pt2_run` or `pt2_warm`. The
 * load itself folds norms into weights and reorders weights, at sizes that were checked against the stored bytes and
 * within four times these bytes and 16 MiB. Running a hostile program is another matter: do that in a sandbox. Compiled code is
 * native code: it is loaded only where `allow_native_code` is set, after it was found to be for this machine.
 *
 * Ownership: the arguments are borrowed for the call. The handle belongs to the caller, who frees it with
 * `pt2_free`. The file is not kept open; `pt2_memory` says whether it stays mapped, on any device: weights may be
 * asked for and put back later (`pt2_get_parameter`, `pt2_reset_parameters`).
 *
 * Threads: any thread; loads may run in parallel. On a CUDA device three things go on in threads after this returns:
 * the weights go to the device, norms are folded into them, and cuDNN and cuBLAS are loaded. They end by
 * themselves; the first run waits for what it needs and reports what failed there (device memory that ran out: the
 * next run tries again), and `pt2_free` waits for all. Name the device in the options: then CUDA starts beside other
 * work in a process that has not used it.
 */
pt2_error *pt2_load(const char *path,
                    const pt2_load_options *options,
                    pt2_model **model);

/**
 * Loads a program from the bytes of such a file. Nothing is written to disk.
 *
 * Parameters: `data` are `size` bytes. `options` may be NULL; their `memory` is not looked at, for the bytes are
 * always copied. `model` receives the handle.
 *
 * Returns NULL, or an error, and then `model` is untouched; what `pt2_load` promises holds here too.
 *
 * Ownership: the arguments are borrowed for the call, and the bytes may be changed or freed after it. The handle
 * belongs to the caller, who frees it with `pt2_free`. The copy stays in host memory as long as the model lives.
 *
 * Threads: any thread; loads may run in parallel. Nobody may change the bytes during the call.
 */
pt2_error *pt2_load_from_memory(const void *data,
                                size_t size,
                                const pt2_load_options *options,
                                pt2_model **model);

/**
 * Frees a model.
 *
 * Parameters: `model` may be NULL. No call with it may begin afterwards, and it must not be freed again.
 *
 * Ownership: outputs and clones of the model stay valid, and calls in flight on other threads finish first.
 *
 * Threads: any thread.
 */
void pt2_free(pt2_model *model);

/**
 * The device that the model runs on, such as `cpu` or `cuda:0`.
 *
 * Returns NULL for NULL.
 *
 * Ownership: the text lives as long as the model. Threads: any number at once.
 */
const char *pt2_model_device(const pt2_model *model);

/**
 * The model's name in its archive.
 *
 * Returns NULL for NULL.
 *
 * Ownership: the text lives as long as the model. Threads: any number at once.
 */
const char *pt2_model_name(const pt2_model *model);

/**
 * Whether the program writes to its own parameters, buffers or constants, so that a call depends on those before
 * it and calls take turns.
 *
 * Returns false for NULL, and for compiled code without its program beside it, of which nobody tells.
 *
 * Ownership: `model` is borrowed. Threads: any number at once.
 */
bool pt2_model_mutates(const pt2_model *model);

/**
 * In which form the model runs.
 *
 * Returns `PT2_FORM_EXPORTED` or `PT2_FORM_COMPILED`; 0 for NULL.
 *
 * Ownership: `model` is borrowed. Threads: any number at once.
 */
int32_t pt2_model_form(const pt2_model *model);

/**
 * What calls are not checked for, one sentence each: conditions of a program that nobody can decide before it runs,
 * and what an archive of compiled code does not tell about its inputs.
 *
 * Compiled code takes the sizes that the program beside it allows. Those among them that its compiler assumed not to
 * come are named here: PyTorch takes them too, and nobody records what the compiler made of its assumption. Without a
 * program the sizes that the compiler assumed are the only ones, and others are refused (`PT2_ERROR_INPUT`).
 *
 * Returns the sentence number `index`, counted from 0; NULL where there are no more, and for NULL.
 *
 * Ownership: the text lives as long as the model. Threads: any number at once.
 */
const char *pt2_model_unchecked(const pt2_model *model,
                                size_t index);

/**
 * Runs the program once.
 *
 * Parameters: `inputs` are `input_count` tensors in the order of `pt2_input_info`; NULL stands for Python's None
 * and for inputs that are constants of the program, and a number is passed as a tensor of one element on the
 * CPU. `options` may be NULL. `outputs` has room for `output_count` handles, which must be `pt2_output_count`;
 * each place receives a new tensor, or NULL where the program gives None or a string, which `pt2_output_info` tells.
 * Numbers arrive as 0-d tensors on the CPU.
 *
 * Returns NULL, or an error, and then `outputs` is untouched and the model stays usable. Count, kind, dtype,
 * device, rank, sizes and relations between sizes are checked before anything runs; values are not. When an
 * operator fails, a program that writes to its state or to its inputs may have written part of it.
 *
 * The first run also computes what the program derives from weights alone, and keeps it for later runs and clones; runs
 * that come meanwhile wait for it. An error there is that run's error, names the node, and the next run tries again.
 *
 * Outputs are strided tensors whose memory holds their elements. PyTorch's lazy conjugates, lazy negatives and zeros
 * without memory are computed into memory of their own. A program that gives a nested, sparse, quantised or mkldnn
 * tensor fails with `PT2_ERROR_UNSUPPORTED`, which names the output: at load where the archive records it, else here.
 *
 * An input that the program writes to must be memory of its own (`PT2_ERROR_INPUT`): no two elements at one address, no
 * element of another input, no weight and no state of any model in the process. `torch.export` refuses such
 * inputs when it traces. Elements are compared, not ranges; strides that take more than 4,096 steps to compare count as
 * an overlap. Weights are compared as ranges.
 *
 * Ownership: inputs are borrowed for the call and may be freed after it; outputs belong to the caller, who frees
 * each with `pt2_tensor_free`, and outlive the model. Where the program returns an input or a weight, the output
 * shares its memory. A program that writes to its inputs writes to the caller's memory. On CUDA the work is
 * queued when this returns: read the outputs on the same stream, or through `pt2_tensor_to_host`, which waits; a
 * device fault may surface in a later call. A call waits for the device where the program's way depends on values
 * there: the predicate of `cond`, the condition of `while_loop`, `item`, `nonzero` and other sizes that depend on
 * data.
 *
 * Threads: any number may run one model at once. Where the program writes to its own state (`pt2_model_mutates`),
 * calls of one model take turns; those of its clones do not wait for each other. The same inputs give the same bits whatever other threads do, where libtorch's kernels are
 * deterministic.
 */
pt2_error *pt2_run(const pt2_model *model,
                   pt2_tensor *const *inputs,
                   size_t input_count,
                   const pt2_run_options *options,
                   pt2_tensor **outputs,
                   size_t output_count);

/**
 * Runs the program once and writes its outputs to tensors of the caller's: no memory is taken for them that the
 * caller did not choose, and a CUDA device's outputs can go straight to the host.
 *
 * Parameters: as for `pt2_run`, but `outputs` are `output_count` tensors that exist, in the order of
 * `pt2_output_info`; NULL for an output that nobody wants, or that is None or a string. Each has the dtype and the
 * sizes of its output and any strides, and lies on the device of its output or on the CPU. Numbers are written to
 * 0-d tensors of int64, float64 or bool. They may share memory with inputs, which are read before anything is
 * written. They must not overlap each other, a weight or a state of any model in the process, and no two elements of
 * one may lie at one address; what `pt2_run` says of comparing them holds here.
 *
 * Returns NULL, or an error, and then the model stays usable. What `pt2_output_info` tells is checked before
 * anything runs, and sizes that differ from call to call before anything is written (`PT2_ERROR_ARGUMENT` names the
 * output).
 *
 * Ownership: all tensors are borrowed for the call. On CUDA the work is queued when this returns, and it is done
 * when this returns if a tensor on the CPU is among the outputs: `pt2_tensor_to_host` waits for it otherwise, or read
 * them on the same stream.
 *
 * Threads: as for `pt2_run`; nobody else may use the outputs meanwhile.
 */
pt2_error *pt2_run_into(const pt2_model *model,
                        pt2_tensor *const *inputs,
                        size_t input_count,
                        const pt2_run_options *options,
                        pt2_tensor *const *outputs,
                        size_t output_count);

/**
 * Runs the program once, with inputs and outputs by name.
 *
 * Parameters: `input_names` and `inputs` are `input_count` names, in any spelling that `pt2_input_index` takes, and
 * the tensors for them, in any order; an input that is not named is passed as NULL, and none may be named twice.
 * `output_names` are `output_count` names, in any spelling that `pt2_output_index` takes, and `outputs` has room for
 * as many handles: each place receives what `pt2_run` would give for that output. An output may be left out, or
 * named more than once and then comes as several handles on one memory. `options` may be NULL.
 *
 * Returns NULL, or an error, and then `outputs` is untouched and the model stays usable; an unknown name is
 * answered with all names. What `pt2_run` promises holds here too.
 *
 * Ownership: names and inputs are borrowed for the call; outputs belong to the caller, who frees each with
 * `pt2_tensor_free`.
 *
 * Threads: as for `pt2_run`.
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
 * Prepares calls with inputs of these sizes, strides, dtypes and numbers, so that the first of them costs no more
 * than later ones: call it once for each batch size after `pt2_load`. Libraries choose and keep their algorithms. On
 * the CPU the weights of convolutions are brought into oneDNN's order to stay, which the second call would do, for
 * more time than a forward takes. On a CUDA device the kernels are recorded, unless `cuda_graphs` is negative.
 *
 * Parameters: `inputs` are `input_count` tensors as for `pt2_run`. What they hold decides nothing, except where the
 * program's way depends on values; memory that was never written will do. `options` may be NULL.
 *
 * Returns NULL, or an error; inputs of the wrong count, kind, dtype, device or size are refused as `pt2_run` refuses
 * them. A program that draws random numbers is refused with `PT2_ERROR_UNSUPPORTED`, for its runs would move the
 * process's random numbers on; so is compiled code, of which nobody tells what it draws or writes to. Returns when
 * all work is done.
 *
 * Ownership: all pointers are borrowed for the call. Nothing is changed that a caller can see: a program that writes
 * to its state or to its inputs writes to copies, for which there must be memory meanwhile. Only the numbers of
 * `pt2_model_statistics` count these runs too.
 *
 * Threads: any number at once. cuDNN keeps part of what it prepares for each thread, so let a thread warm that will
 * call.
 */
pt2_error *pt2_warm(const pt2_model *model,
                    pt2_tensor *const *inputs,
                    size_t input_count,
                    const pt2_run_options *options);

/**
 * Makes a model of the same program with a state of its own, such as one for each conversation or each thread.
 *
 * The state is all that the program writes to: buffers, parameters and constants, and whatever shares a storage
 * with them. It begins as that of `model` is when this is called, and from then on neither sees what the other
 * writes. Everything else is shared memory, on the CPU and on CUDA: the clone of a program that writes to nothing
 * costs nothing. Weights that were set (`pt2_swap_parameters`) are shared too, and later neither sees what the
 * other is set to. A model and its clones are equals; each may be run, cloned and freed in any order.
 *
 * What compiled code writes to is told by the program beside it; where there is none, clones have copies of all but its
 * parameters. While a clone of compiled code is made, its weights are in memory once more.
 *
 * Parameters: `clone` receives the handle.
 *
 * Returns NULL, or an error, and then `clone` is untouched.
 *
 * Ownership: `model` is borrowed. The clone belongs to the caller, who frees it with `pt2_free`. Outputs that share
 * a weight's memory share it with all clones, unless the program writes to that weight.
 *
 * Threads: any number at once; calls of `model` that were made before are seen whole, calls made later not at all.
 * On CUDA this waits for the device.
 */
pt2_error *pt2_clone(const pt2_model *model,
                     pt2_model **clone);

/**
 * Puts the model's state, as `pt2_clone` describes it, back to what its weights are: what the
 * archive holds or, where a weight was set, what it was set to.
 *
 * Parameters: `options` may be NULL. Clones keep their states; inputs that the program wrote to keep their content.
 *
 * Returns NULL, or an error.
 *
 * Ownership: all pointers are borrowed. Outputs that share memory with the state change with it. On CUDA the work
 * is queued on the stream, as that of a call is.
 *
 * Threads: any number at once; calls of the same model and resets take turns.
 */
pt2_error *pt2_reset_state(const pt2_model *model,
                           const pt2_run_options *options);

/**
 * How many weights the program takes: parameters, buffers and tensors that were constants.
 *
 * Returns 0 for NULL.
 *
 * Ownership: `model` is borrowed. Threads: any number at once.
 */
size_t pt2_parameter_count(const pt2_model *model);

/**
 * Describes one weight, as the archive stores it.
 *
 * Parameters: `index` counts weights from 0, in the program's order. `parameter` is filled as far as its
 * `struct_size` says, which the caller sets first.
 *
 * Returns NULL, or an error, and then `parameter` is untouched.
 *
 * Ownership: both pointers are borrowed; texts and arrays in `parameter` live as long as the model. Threads: any
 * number at once.
 */
pt2_error *pt2_parameter_info(const pt2_model *model,
                              size_t index,
                              pt2_parameter *parameter);

/**
 * A weight by its name, as it is now, on the model's device.
 *
 * What the program writes to (`pt2_clone` says what belongs to its state) comes as a copy, after the calls made
 * before and before those made later. Every other weight shares memory with the model (or with the tensor it was
 * set to) and must not be written to: copy it to change it. Calls refuse to write there: `pt2_run` as an input that the
 * program writes to, `pt2_run_into` as an output. One that was only needed to compute others is brought
 * from the archive again, on the CPU as pages of it, on CUDA as a copy.
 *
 * Parameters: `name` is the fully qualified name, such as `layers.0.weight`. `tensor` receives a new handle.
 *
 * Returns NULL, or an error, and then `tensor` is untouched.
 *
 * Ownership: `model` and `name` are borrowed. The handle belongs to the caller, who frees it with
 * `pt2_tensor_free`; it outlives the model and stays what it was when the weight is set to something else.
 *
 * Threads: any number at once, also while the model runs. On CUDA this waits for the device if it copies.
 */
pt2_error *pt2_get_parameter(const pt2_model *model,
                             const char *name,
                             pt2_tensor **tensor);

/**
 * Sets one weight: `pt2_swap_parameters` with one name.
 *
 * Returns NULL, or an error that names the weight, and then nothing changed.
 *
 * Ownership: the arguments are borrowed for the call, the tensor's memory for longer: see `pt2_swap_parameters`.
 * Threads: any number at once, also while the model runs.
 */
pt2_error *pt2_set_parameter(const pt2_model *model,
                             const char *name,
                             const pt2_tensor *tensor);

/**
 * Sets several weights at once, between calls: calls in flight finish on the old ones, and each call runs on the old
 * or on the new ones, never on some of each. Calls do not wait for it, except those of a program that writes to its
 * state, which take turns with the exchange itself.
 *
 * What is computed from weights alone (folded batch norms, reordered or converted weights) is computed again before the
 * exchange, as far as it depends on the weights given: on this thread, beside the calls. Before the first run that is
 * what the load computed; the rest is left to the first run. It costs as much as before, and its memory twice until
 * the last call on the old weights is done. Recorded CUDA graphs hold the addresses of weights: they are dropped, and
 * recorded again after a few calls.
 *
 * Names that share memory go on sharing it, as with `load_state_dict` of PyTorch: a tied weight changes under all
 * its names, and a view of a larger buffer changes that part of it. Setting several of them to different values is
 * refused. A weight that the program writes to gets the values as its new state, and as what `pt2_reset_state` puts
 * back; what the program wrote to other weights stays.
 *
 * Compiled code (`PT2_FORM_COMPILED`) is given them between two calls, for which later calls wait. What the compiler
 * built into the code is not among its weights.
 *
 * Only this model changes. A clone begins with the weights that its original has then; later neither sees what the
 * other is set to, and what both have is shared. `pt2_share_parameters` gives the weights of one to another.
 *
 * Parameters: `names` and `tensors` are `count` fully qualified names and the tensors for them, each with the
 * weight's dtype and sizes, on the model's device, strided in any way. No name may come twice, no tensor may be
 * NULL. On CUDA all work that is queued when this is called is waited for, so tensors may still be being filled.
 *
 * Returns NULL, or an error that names the weight, and then nothing changed: `PT2_ERROR_ARGUMENT` for a name that
 * the program has not, that comes twice or that has no tensor, `PT2_ERROR_WEIGHT` for a tensor that does not fit.
 *
 * Ownership: all arguments are borrowed for the call, the tensors' memory for longer. Where a tensor has the
 * weight's strides (`pt2_parameter_info`) and its memory is aligned to 64 bytes on the CPU, or 512 on CUDA, the
 * model shares that memory and so do all other models set to it; it must not be written to until its release is
 * called. Elsewhere, and where the program writes to the weight, the model has a copy. The memory is let go when no
 * model, no call in flight and no output uses it.
 *
 * Threads: any number at once, also while the model runs; exchanges of one model come one after the other.
 */
pt2_error *pt2_swap_parameters(const pt2_model *model,
                               const char *const *names,
                               pt2_tensor *const *tensors,
                               size_t count);

/**
 * Puts weights back to what the archive holds, in the same way as `pt2_swap_parameters` sets them.
 *
 * The archive's bytes are used where they lie: on the CPU they are the pages of the file (`pt2_memory`), so neither
 * setting nor resetting keeps a second copy; on CUDA they are copied to the device again. Outputs have the same bits
 * as before the weights were set.
 *
 * Parameters: `names` are `count` fully qualified names; each is put back with all that shares its memory. NULL
 * with a `count` of 0 stands for all weights that were set. A weight that the program writes to begins anew with
 * the archive's content if it is among them; otherwise it keeps what was written to it (`pt2_reset_state`).
 *
 * Returns NULL, or an error, and then nothing changed.
 *
 * Ownership: all arguments are borrowed for the call.
 *
 * Threads: any number at once, also while the model runs; exchanges of one model come one after the other.
 */
pt2_error *pt2_reset_parameters(const pt2_model *model,
                                const char *const *names,
                                size_t count);

/**
 * Gives a model the weights that a clone of it has, or that it was cloned from, with all that was computed from
 * them: nothing is copied and nothing is computed. Set the weights of one clone, then share them with the others.
 * Compiled code computes anew what follows from them, and copies what it may write to (`pt2_clone`).
 *
 * Parameters: `source` is a clone of `model`, or `model` of `source`, or both of a third.
 *
 * Returns NULL, or an error, and then nothing changed.
 *
 * Ownership: both models are borrowed; either may be freed afterwards. The state of `model` stays as it is, and
 * `pt2_reset_state` puts it back to the weights of `source`.
 *
 * Threads: any number at once, also while both run. The exchange is like that of `pt2_swap_parameters`.
 */
pt2_error *pt2_share_parameters(const pt2_model *model,
                                const pt2_model *source);

/**
 * What a model did so far.
 *
 * Parameters: `statistics` is filled as far as its `struct_size` says, which the caller sets.
 *
 * Returns NULL, or an error, and then `statistics` is untouched.
 *
 * Ownership: the arguments are borrowed for the call. Threads: any number at once, also while the model runs.
 */
pt2_error *pt2_model_statistics(const pt2_model *model, pt2_statistics *statistics);

/**
 * How many inputs the program takes, with Python's nested arguments flattened.
 *
 * Returns 0 for NULL.
 *
 * Ownership: `model` is borrowed. Threads: any number at once.
 */
size_t pt2_input_count(const pt2_model *model);

/**
 * How many outputs the program gives, with Python's nested results flattened.
 *
 * Returns 0 for NULL.
 *
 * Ownership: `model` is borrowed. Threads: any number at once.
 */
size_t pt2_output_count(const pt2_model *model);

/**
 * Describes one input.
 *
 * Parameters: `index` counts inputs from 0. `info` is filled as far as its `struct_size` says, which the caller
 * sets first.
 *
 * Returns NULL, or an error, and then `info` is untouched.
 *
 * Ownership: both pointers are borrowed; texts in `info` live as long as the model. Threads: any number at once.
 */
pt2_error *pt2_input_info(const pt2_model *model,
                          size_t index,
                          pt2_port_info *info);

/**
 * Describes one output.
 *
 * Parameters: `index` counts outputs from 0. `info` is filled as far as its `struct_size` says, which the caller
 * sets first.
 *
 * Returns NULL, or an error, and then `info` is untouched.
 *
 * Ownership: both pointers are borrowed; texts in `info` live as long as the model. Threads: any number at once.
 */
pt2_error *pt2_output_info(const pt2_model *model,
                           size_t index,
                           pt2_port_info *info);

/**
 * Describes one dimension of an input.
 *
 * Parameters: `index` counts inputs from 0 and `position` the dimensions of that input. `dimension` is filled as
 * far as its `struct_size` says, which the caller sets first.
 *
 * Returns NULL, or an error, and then `dimension` is untouched.
 *
 * Ownership: both pointers are borrowed; texts in `dimension` live as long as the model. Threads: any number at
 * once.
 */
pt2_error *pt2_input_dimension(const pt2_model *model,
                               size_t index,
                               size_t position,
                               pt2_dimension *dimension);

/**
 * Describes one dimension of an output.
 *
 * Parameters: `index` counts outputs from 0 and `position` the dimensions of that output. `dimension` is filled
 * as far as its `struct_size` says, which the caller sets first.
 *
 * Returns NULL, or an error, and then `dimension` is untouched.
 *
 * Ownership: both pointers are borrowed; texts in `dimension` live as long as the model. Threads: any number at
 * once.
 */
pt2_error *pt2_output_dimension(const pt2_model *model,
                                size_t index,
                                size_t position,
                                pt2_dimension *dimension);

/**
 * The position of an input by its name.
 *
 * Parameters: `name` is what `pt2_input_info` calls it, such as `args[0]` or `kwargs["mask"]`, with or without
 * quotes and with attributes as `.field` or `[field]`; or a spelling of Triton's: `INPUT__0` for the first input,
 * `ARGS[0]`, `KWARGS[mask]`. `index` receives the position.
 *
 * Returns NULL, or an error that lists all names, and then `index` is untouched.
 *
 * Ownership: all pointers are borrowed. Threads: any number at once.
 */
pt2_error *pt2_input_index(const pt2_model *model,
                           const char *name,
                           size_t *index);

/**
 * The position of an output by its name.
 *
 * Parameters: `name` is what `pt2_output_info` calls it, such as `result["logits"]`, with or without quotes and
 * with attributes as `.field` or `[field]`; or a spelling of Triton's: `OUTPUT__0` for the first output,
 * `RESULT[0][logits]`, where a result that is no sequence counts as a sequence of one. `index` receives the
 * position.
 *
 * Returns NULL, or an error that lists all names, and then `index` is untouched.
 *
 * Ownership: all pointers are borrowed. Threads: any number at once.
 */
pt2_error *pt2_output_index(const pt2_model *model,
                            const char *name,
                            size_t *index);

/**
 * Makes a tensor on memory of the caller's, without a copy.
 *
 * Parameters: `data` is the first element, at a multiple of the size of one element; a complex number is one element.
 * It may be NULL if there are no elements. libpt2 copies an input where an operator needs more of its address.
 * `dtype` is a `pt2_dtype`. `sizes` and `strides` have `rank` entries, which count elements; `strides` may be NULL
 * for a dense row-major tensor, and none may be negative. The memory must hold every element that sizes and
 * strides reach; addresses above 2^63 are refused. `device` says whose memory it is; NULL means `"cpu"`. `release` may be NULL; else it is called
 * once with `release_context`, when the last tensor on the memory is freed. `tensor` receives the handle.
 *
 * Returns NULL, or an error, and then nothing was taken over: `release` is never called, `tensor` is untouched.
 *
 * Ownership: the memory is borrowed until `release` is called or, where there is none, for as long as the tensor
 * or any output that shares its memory lives. Sizes, strides and texts are copied. The handle belongs to the
 * caller, who frees it with `pt2_tensor_free`.
 *
 * Threads: any thread. `release` runs on whichever thread lets go last.
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
 * Makes a 0-d int64 tensor on the CPU: how an int is passed.
 *
 * Returns NULL, or an error, and then `tensor` is untouched.
 *
 * Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
 */
pt2_error *pt2_tensor_from_int(int64_t value, pt2_tensor **tensor);

/**
 * Makes a 0-d float64 tensor on the CPU: how a float is passed.
 *
 * Returns NULL, or an error, and then `tensor` is untouched.
 *
 * Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
 */
pt2_error *pt2_tensor_from_float(double value, pt2_tensor **tensor);

/**
 * Makes a 0-d bool tensor on the CPU: how a bool is passed.
 *
 * Returns NULL, or an error, and then `tensor` is untouched.
 *
 * Ownership: the handle belongs to the caller, who frees it with `pt2_tensor_free`. Threads: any thread.
 */
pt2_error *pt2_tensor_from_bool(bool value, pt2_tensor **tensor);

/**
 * The type of the tensor's elements.
 *
 * Returns a `pt2_dtype`; 0 for NULL and for a type that has no number here.
 *
 * Ownership: `tensor` is borrowed. Threads: any number may read a tensor at once.
 */
int32_t pt2_tensor_dtype(const pt2_tensor *tensor);

/**
 * How many dimensions the tensor has.
 *
 * Returns 0 for NULL.
 *
 * Ownership: `tensor` is borrowed. Threads: any number may read a tensor at once.
 */
size_t pt2_tensor_rank(const pt2_tensor *tensor);

/**
 * The tensor's sizes, as many as its rank.
 *
 * Returns NULL for NULL.
 *
 * Ownership: the array lives as long as the handle. Threads: any number may read a tensor at once.
 */
const int64_t *pt2_tensor_sizes(const pt2_tensor *tensor);

/**
 * The tensor's strides, counted in elements, as many as its rank.
 *
 * Returns NULL for NULL.
 *
 * Ownership: the array lives as long as the handle. Threads: any number may read a tensor at once.
 */
const int64_t *pt2_tensor_strides(const pt2_tensor *tensor);

/**
 * The tensor's first element, on its device. A tensor is not always dense: mind its strides, which are 0 where a
 * dimension was expanded, or use `pt2_tensor_to_host`. The memory holds the elements as they are: lazy conjugates and
 * negatives of PyTorch were computed.
 *
 * Returns NULL for NULL and for a tensor without elements.
 *
 * Ownership: the memory lives as long as the handle. Threads: any number may read the memory at once; writing to
 * it needs the caller's own order, also against calls that run on it.
 */
void *pt2_tensor_data(const pt2_tensor *tensor);

/**
 * The device of the tensor, such as `cpu` or `cuda:0`.
 *
 * Returns NULL for NULL.
 *
 * Ownership: the text lives as long as the handle. Threads: any number may read a tensor at once.
 */
const char *pt2_tensor_device(const pt2_tensor *tensor);

/**
 * The same values, dense and row-major, on the CPU. Waits until the work that fills the tensor is done.
 *
 * Parameters: `tensor` must not be NULL; `host` receives a new handle.
 *
 * Returns NULL, or an error, and then `host` is untouched.
 *
 * Ownership: `tensor` is borrowed. The new handle belongs to the caller, who frees it with `pt2_tensor_free`; it
 * shares the memory of `tensor` if that is dense and on the CPU already.
 *
 * Threads: any number may read a tensor at once.
 */
pt2_error *pt2_tensor_to_host(const pt2_tensor *tensor,
                              pt2_tensor **host);

/**
 * A second handle on the same memory.
 *
 * Parameters: `tensor` must not be NULL; `shared` receives the new handle.
 *
 * Returns NULL, or an error, and then `shared` is untouched.
 *
 * Ownership: `tensor` is borrowed. The new handle belongs to the caller, who frees it with `pt2_tensor_free`; the
 * memory lives until the last handle is freed.
 *
 * Threads: any number may read a tensor at once.
 */
pt2_error *pt2_tensor_share(const pt2_tensor *tensor,
                            pt2_tensor **shared);

/**
 * Frees a handle. The memory lives on while another handle or tensor shares it.
 *
 * Parameters: `tensor` may be NULL. It must not be used or freed again.
 *
 * Threads: any thread, while no other uses the handle.
 */
void pt2_tensor_free(pt2_tensor *tensor);

/**
 * The same values, dense and row-major, on another device: how inputs reach a GPU without the CUDA toolkit.
 *
 * Parameters: `tensor` must not be NULL. `device` is `"cpu"`, `"cuda"` or `"cuda:N"`. `stream` is a
 * `cudaStream_t` of a CUDA device involved, on which the copy is queued; NULL means the calling thread's current
 * stream. `copy` receives a new handle.
 *
 * Returns NULL, or an error, and then `copy` is untouched.
 *
 * Ownership: `tensor` is borrowed, and its memory may be changed when this returns. The new handle belongs to
 * the caller, who frees it with `pt2_tensor_free`; it shares the memory of `tensor` if that is dense and on the
 * device already.
 *
 * Threads: any number may read a tensor at once.
 */
pt2_error *pt2_tensor_to_device(const pt2_tensor *tensor,
                                const char *device,
                                void *stream,
                                pt2_tensor **copy);

/**
 * Takes over a DLPack tensor without copying it.
 *
 * Parameters: `managed` is a tensor of DLPack version 1 on the CPU or a CUDA device, whose deleter has not run;
 * `tensor` receives the handle. Memory that is marked read-only is not protected from a program that writes to
 * its inputs. What `pt2_tensor_from_memory` says of addresses, sizes and strides holds here.
 *
 * Returns NULL on success. On failure, returns an error, leaves `tensor` unmodified and calls no deleter: `managed`
 * still belongs to the caller. Fields that contradict each other are `PT2_ERROR_ARGUMENT`: a negative rank or size, NULL
 * data with a byte offset, an offset that leaves the address space. Another major version of DLPack and elements that
 * PyTorch does not have are `PT2_ERROR_UNSUPPORTED`, another device `PT2_ERROR_DEVICE`.
 *
 * Ownership: on success `managed` belongs to libpt2, which calls its deleter once, when the last tensor on the
 * memory is freed. The handle belongs to the caller, who frees it with `pt2_tensor_free`.
 *
 * Threads: any thread. The deleter runs on whichever thread lets go last.
 */
pt2_error *pt2_tensor_from_dlpack(struct DLManagedTensorVersioned *managed,
                                  pt2_tensor **tensor);

/**
 * Gives a tensor out as DLPack without copying it.
 *
 * Parameters: `tensor` must not be NULL; `managed` receives a new `DLManagedTensorVersioned` on the same memory.
 *
 * Returns NULL, or an error, and then `managed` is untouched.
 *
 * Ownership: `tensor` is borrowed and may be freed at once; `managed` keeps the memory alive until its deleter
 * is called, which is up to whoever uses it. On CUDA the work that fills the memory may still be queued on the
 * stream of the run.
 *
 * Threads: any thread.
 */
pt2_error *pt2_tensor_to_dlpack(const pt2_tensor *tensor,
                                struct DLManagedTensorVersioned **managed);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PT2_H */
