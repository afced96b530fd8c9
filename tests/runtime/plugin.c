/* plugin: a library that lives.c opens, found by the program's own runpath alone. */
#include <string.h>

__attribute__((visibility("default"))) char *plugin_greet(void);

char *plugin_greet(void)
{
	return strdup("greeted by a plugin\n");
}
