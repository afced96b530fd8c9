/* plugin: a library that lives.c opens, found by the program's own runpath alone; or another, that
   comes to where it was. */
#include <string.h>

__attribute__((visibility("default"))) char *plugin_greet(void);

char *plugin_greet(void)
{
#ifdef PLUGIN_OTHER
	/* So that its call lies elsewhere. */
	char *volatile none = NULL;
	if (none)
		return none;
#endif
	char *greeting = strdup("greeted by a plugin ");
	/* After the call, so that it is on the stack of the call. */
	if (greeting)
		greeting[strlen(greeting) - 1] = '\n';
	return greeting;
}
