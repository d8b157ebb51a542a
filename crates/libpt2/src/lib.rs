//! Shared library that programs link, `libpt2.so`: the functions of `pt2_loader`, which are exported
//! from here. It needs only the C library.

use pt2_loader as _;
