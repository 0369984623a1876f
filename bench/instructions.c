/* A plugin of qemu that counts the instructions a program executes: all of them, and
 * those in machine code that the program made itself, which is what it has asked to be
 * made executable.
 *
 *     qemu-aarch64 -plugin instructions.so,out=FILE PROGRAM ...
 *
 * writes `TOTAL OWN` into FILE at the end. Blocks are counted when they are entered, so
 * what a fault cuts off counts too; threads that count at once may lose some.
 *
 * The interface is declared here because Debian has no header of it (version 1, which
 * qemu 6 to 9 understand). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t id_t_;
struct qemu_plugin_tb;

struct info {
    const char *target_name;
    struct {
        int min, cur;
    } version;
    bool system_emulation;
};

enum { INLINE_ADD_U64 = 0 };

typedef void translated(id_t_, struct qemu_plugin_tb *);
typedef void system_call(id_t_, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                         uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
typedef void at_exit(id_t_, void *);

void qemu_plugin_register_vcpu_tb_trans_cb(id_t_, translated *);
void qemu_plugin_register_vcpu_syscall_cb(id_t_, system_call *);
void qemu_plugin_register_atexit_cb(id_t_, at_exit *, void *);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

int qemu_plugin_version = 1;

static uint64_t others, own;
/* What has been made executable lies between these. */
static uint64_t first = UINT64_MAX, end;
static int64_t mprotect_number;
static char path[4096];

static void count(id_t_ id, struct qemu_plugin_tb *block) {
    (void)id;
    uint64_t at = qemu_plugin_tb_vaddr(block);
    qemu_plugin_register_vcpu_tb_exec_inline(
        block, INLINE_ADD_U64, at >= first && at < end ? &own : &others,
        qemu_plugin_tb_n_insns(block));
}

static void look(id_t_ id, unsigned cpu, int64_t number, uint64_t start, uint64_t len,
                 uint64_t protection, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    (void)id, (void)cpu, (void)d, (void)e, (void)f, (void)g, (void)h;
    enum { EXECUTE = 4 };
    if (number == mprotect_number && (protection & EXECUTE)) {
        first = start < first ? start : first;
        end = start + len > end ? start + len : end;
    }
}

static void tell(id_t_ id, void *data) {
    (void)id, (void)data;
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%llu %llu\n", (unsigned long long)(others + own), (unsigned long long)own);
        fclose(file);
    }
}

int qemu_plugin_install(id_t_ id, const struct info *info, int count_of, char **words) {
    if (count_of != 1 || strncmp(words[0], "out=", 4) != 0) {
        fprintf(stderr, "instructions: where to write is missing: out=FILE\n");
        return -1;
    }
    snprintf(path, sizeof path, "%s", words[0] + 4);
    mprotect_number = strcmp(info->target_name, "x86_64") == 0 ? 10 : 226;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count);
    qemu_plugin_register_vcpu_syscall_cb(id, look);
    qemu_plugin_register_atexit_cb(id, tell, NULL);
    return 0;
}
