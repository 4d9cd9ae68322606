// buffer.c: the module `tenon._buffer`, with the class `Exporter`: what is derived from it can be given to whatever takes buffers,
// as numpy.frombuffer does. Python has that for classes in Python only from 3.12 on.

#define PY_SSIZE_T_CLEAN
#include <Python.h>

// The buffer of the memoryview that the method `view` returns. The view owns what it shows, so the buffer stays good whatever becomes
// of the exporter.
static int get_buffer(PyObject *self, Py_buffer *buffer, int flags) {
  buffer->obj = NULL;
  PyObject *view = PyObject_CallMethod(self, "view", NULL);
  if (view == NULL) return -1;
  int result = PyObject_GetBuffer(view, buffer, flags);
  Py_DECREF(view);
  return result;
}

// The buffer belongs to the memoryview, which is told. That this function exists tells numpy to hold on to the buffer, and not only
// to the exporter.
static void release_buffer(PyObject *self, Py_buffer *buffer) {
  (void)self;
  (void)buffer;
}

static PyType_Slot slots[] = {
  {Py_tp_doc, "A class whose objects are buffers: those of the memoryview that their method `view` returns."},
  {Py_bf_getbuffer, get_buffer},
  {Py_bf_releasebuffer, release_buffer},
  {0, NULL},
};

static PyType_Spec exporter = {
  .name = "tenon._buffer.Exporter",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = slots,
};

static int fill(PyObject *module) {
  PyObject *type = PyType_FromSpec(&exporter);
  if (type == NULL) return -1;
  int result = PyModule_AddType(module, (PyTypeObject *)type);
  Py_DECREF(type);
  return result;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "tenon._buffer", .m_slots = module_slots};

PyMODINIT_FUNC PyInit__buffer(void) { return PyModuleDef_Init(&module); }
