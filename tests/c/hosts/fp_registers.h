/* Floating-point registers of the calling thread, and environments that change them. */
#ifndef PT2_TESTS_FP_REGISTERS_H
#define PT2_TESTS_FP_REGISTERS_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#define PT2_HAS_FP_REGISTERS 1

/* MXCSR, and the control and status words of the x87 unit. */
typedef struct {
  uint32_t mxcsr;
  uint16_t control, status;
} fp_registers;

#define FP_DEFAULT ((fp_registers){0x1f80, 0x37f, 0})
#define FP_FLUSHES ((fp_registers){0x9fc0, 0x37f, 0})
#define FP_ENVIRONMENTS                                                                                \
  {"default", {0x1f80, 0x37f, 0}}, {"flushes", {0x9fc0, 0x37f, 0}}, {"rounds up", {0x5f80, 0xb7f, 0}}, \
      {"rounds to zero", {0x7f80, 0xf7f, 0}}, {"53 bits", {0x1f80, 0x27f, 0}},                         \
      {"traps with flags", {0x191f, 0x372, 0}}, {"flags", {0x1fbf, 0x37f, 0}}, {                       \
    "traps", {0x1900, 0x372, 0}                                                                        \
  }

static inline fp_registers fp_read(void) {
  fp_registers found;
  found.mxcsr = _mm_getcsr();
  __asm__ volatile("fnstcw %0" : "=m"(found.control));
  __asm__ volatile("fnstsw %0" : "=m"(found.status));
  found.status &= 0xff;
  return found;
}

static inline void fp_write(fp_registers registers) {
  __asm__ volatile("fninit");
  __asm__ volatile("fldcw %0" : : "m"(registers.control));
  _mm_setcsr(registers.mxcsr);
}

static inline int fp_same(fp_registers one, fp_registers other) {
  return one.mxcsr == other.mxcsr && one.control == other.control && one.status == other.status;
}

static inline int fp_flushes(void) { return (_mm_getcsr() & 0x8040) == 0x8040; }

#elif defined(__aarch64__)
#define PT2_HAS_FP_REGISTERS 1

/* FPCR and FPSR (Arm ARM, C5.2). */
typedef struct {
  uint64_t control, status;
} fp_registers;

#define FP_DEFAULT ((fp_registers){0, 0})
#define FP_FLUSHES ((fp_registers){1 << 24, 0})
#define FP_ENVIRONMENTS                                                                        \
  {"default", {0, 0}}, {"flushes", {1 << 24, 0}}, {"rounds up", {1 << 22, 0}},                 \
      {"rounds to zero", {3 << 22, 0}}, {"default NaN", {1 << 25, 0}}, {"flags", {0, 0x9f}}, { \
    "flushes and rounds down with flags", {1 << 24 | 2 << 22, 0x11}                            \
  }

static inline fp_registers fp_read(void) {
  fp_registers found;
  __asm__ volatile("mrs %0, fpcr" : "=r"(found.control));
  __asm__ volatile("mrs %0, fpsr" : "=r"(found.status));
  return found;
}

static inline void fp_write(fp_registers registers) {
  __asm__ volatile("msr fpcr, %0" : : "r"(registers.control));
  __asm__ volatile("msr fpsr, %0" : : "r"(registers.status));
}

static inline int fp_same(fp_registers one, fp_registers other) {
  return one.control == other.control && one.status == other.status;
}

static inline int fp_flushes(void) { return (fp_read().control & 1 << 24) != 0; }

#endif

#endif
