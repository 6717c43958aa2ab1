#include "host.h"
#include "interrupt.h"
#include "server.h"

#include <stddef.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__supervise") == 0) {
        return server_supervise(argc, argv);
    }
    interrupt_install();
    return host_run(argc, argv, NULL, NULL);
}
