/* plugin: a library that lives.c opens, found by the program's own runpath alone. */
#include <string.h>

__attribute__((visibility("default"))) char *plugin_greet(void);

char *plugin_greet(void)
{
	char *greeting = strdup("greeted by a plugin ");
	/* After the call, so that it is on the stack of the call. */
	if (greeting)
		greeting[strlen(greeting) - 1] = '\n';
	return greeting;
}
