#ifndef STRUCTS_H
#define STRUCTS_H

/* In a unit of its own, which has types of the same names. */
void make_elsewhere(void);

#endif
