"""Named tuples of `abi.messages`, made in place: their constructor would take several times as long."""

cdef extern from *:
    """
    static PyObject* rspp_row(PyObject* kind, PyObject* values) {
        PyTypeObject* type = (PyTypeObject*) kind;
        Py_ssize_t count = PyTuple_GET_SIZE(values);
        PyObject* made = type->tp_alloc(type, count);
        for (Py_ssize_t at = 0; made != NULL && at < count; at++)
            PyTuple_SET_ITEM(made, at, Py_NewRef(PyTuple_GET_ITEM(values, at)));
        return made;
    }
    """
    object named "rspp_row" (object kind, tuple values)
