package tenon

// #include "shim.h"
import "C"

func bareCall() { C.tenon_go_nothing(1, 2) }
