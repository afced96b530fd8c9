/*
 * stored_core: the cores that systemd-coredump has stored on this machine. Their names begin
 * with "core.", what the program called itself (comm), and a dot.
 */
#ifndef SEEP_CMD_STORED_CORE_H
#define SEEP_CMD_STORED_CORE_H

/* The path of the newest core of a program, for the caller to free; NULL: none. */
char *stored_core_newest(const char *name);

#endif
