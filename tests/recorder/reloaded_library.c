/* A library that is loaded where another one was: the same function, with another frame. */

void call_back(void (*function)(void));

__attribute__((visibility("default"))) void call_back(void (*function)(void))
{
	volatile char frame[FRAME_BYTES];
	frame[0] = 1;
	function();
	frame[FRAME_BYTES - 1] = frame[0];
}
