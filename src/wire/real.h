/* Floating numbers as Python shows them. */
#ifndef MP_WIRE_REAL_H
#define MP_WIRE_REAL_H

#define MP__REAL_MAX 40

/* The shortest text that reads back as x, terminated: 0.1, 1e+16, 5.0, inf. Whatever the program's locale. */
void mp__real_text(double x, char text[MP__REAL_MAX]);

#endif
