/*
 * root: opens files below a root folder that may be a stranger's: links are resolved inside
 * it, and nothing but a regular file is ever opened for reading (a device might act on
 * being opened).
 */
#ifndef SEEP_TARGET_ROOT_H
#define SEEP_TARGET_ROOT_H

/* A read-only descriptor that the caller closes, or -1. `path` may begin with a slash. */
int root_open(const char *root, const char *path);

#endif
