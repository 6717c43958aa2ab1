#include "host.h"
#include "interrupt.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    interrupt_install();
    return host_run(argc, argv, NULL, NULL);
}
