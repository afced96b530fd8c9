/* system_call: see system_call.h. */
#include "raw/system_call.h"

_Atomic bool system_call_closed;
