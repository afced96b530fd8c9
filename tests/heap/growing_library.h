/* growing_library: see growing_library.cpp. */
#ifndef SEEP_TESTS_GROWING_LIBRARY_H
#define SEEP_TESTS_GROWING_LIBRARY_H

void library_add(unsigned key);
void library_drop(unsigned key);

#endif
