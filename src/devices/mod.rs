//! One device a file: printers, scanners, and the bytes they speak.
