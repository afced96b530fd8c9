/*
 * What CPython's objects look like from outside: types that are objects themselves, with sizes that
 * are told by them; and blocks that only look so.
 */
#include <stdint.h>
#include <stdlib.h>

#include "truth.h"

typedef struct _object {
	intptr_t ob_refcnt;
	struct _typeobject *ob_type;
} PyObject;

typedef struct {
	PyObject ob_base;
	intptr_t ob_size;
} PyVarObject;

typedef struct _typeobject {
	PyVarObject ob_base;
	const char *tp_name;
	intptr_t tp_basicsize, tp_itemsize;
	void *before[16];
	unsigned long tp_flags;
	void *behind[4];
} PyTypeObject;

typedef struct {
	PyVarObject ob_base;
	PyObject **ob_item;
	intptr_t allocated;
} PyListObject;

#define HAVE_GC (1ul << 14)
#define TYPE(name, basic, item, flags)                                                   \
	{                                                                                \
		{ { 1, &PyType_Type }, 0 }, (name), (basic), (item), { 0 }, (flags),     \
		{                                                                        \
			0                                                                \
		}                                                                        \
	}

extern PyTypeObject PyType_Type;
PyTypeObject PyType_Type = TYPE("type", sizeof(PyTypeObject), 0, 0);
PyTypeObject plain_type = TYPE("plain", 200, 0, 0);
PyTypeObject list_type = TYPE("list", sizeof(PyListObject), 0, HAVE_GC);
PyTypeObject tuple_type = TYPE("tuple", 24, 8, HAVE_GC);
PyTypeObject of_itself = { { { 1, &of_itself }, 0 }, "other", 200, 0, { 0 }, 0, { 0 } };
void *blocks[64];

static PyVarObject *make(size_t bytes, size_t before, PyTypeObject *type, intptr_t size,
			 const char *wanted, const char *name)
{
	static size_t nr;
	char *block = truth(calloc(1, bytes), wanted, name);
	PyVarObject *object = (PyVarObject *)(void *)(block + before);
	object->ob_base.ob_refcnt = 1;
	object->ob_base.ob_type = type;
	if (size)
		object->ob_size = size;
	return blocks[nr++] = object;
}

int main(void)
{
	make(200, 0, &plain_type, 0, "told", "Python plain");
	make(16 + 24 + 8 * 20, 16, &tuple_type, 20, "told", "Python tuple");
	PyListObject *list = (PyListObject *)(void *)make(
		16 + sizeof(*list), 16, &list_type, 12, "told", "Python list");
	list->allocated = 12;
	list->ob_item = truth(calloc(12, sizeof(*list->ob_item)), "told", "_object *[]");
	for (int i = 0; i < 12; i++)
		list->ob_item[i] =
			&make(200, 0, &plain_type, 0, "told", "Python plain")->ob_base;
	/* Nothing before what must have something; too large; too few items; no references; of a type
	   that is none. */
	make(200, 16, &plain_type, 0, "open", "?");
	make(320, 0, &plain_type, 0, "open", "?");
	make(16 + 24 + 8 * 20, 16, &tuple_type, 8, "open", "?");
	make(200, 0, &plain_type, 0, "open", "?")->ob_base.ob_refcnt = 0;
	make(200, 0, &of_itself, 0, "open", "?");
	truth_tell();
	return 0;
}
