/*
 * core_write: writes a frozen target as an ELF core that the kernel could have written.
 *
 * Only what has contents of its own is read; the rest are holes in the file. One note is our
 * own (owner "SEEP", type 1): pairs of 64-bit addresses [start, end) of memory that has
 * contents and was left out. A core that has this note says by it that whatever else has no
 * contents was never written, which the kernel's cores leave open. Other readers skip it.
 */
#ifndef SEEP_TARGET_CORE_WRITE_H
#define SEEP_TARGET_CORE_WRITE_H

#define CORE_NOTE_OWNER  "SEEP"
#define CORE_NOTE_ABSENT 1u

#endif
