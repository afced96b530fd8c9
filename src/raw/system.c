/* system: see system.h. */
#include "raw/system.h"

_Atomic bool system_is_shut_;
