#include "host.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    return host_run(argc, argv, NULL, NULL);
}
