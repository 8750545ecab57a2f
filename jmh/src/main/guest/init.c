/* The whole user land of the boot comparison: says that it is there, and waits. */
#include <unistd.h>

int main(void)
{
    static const char here[] = "javisor: /init runs\n";
    if (write(1, here, sizeof here - 1) < 0)
        return 1;
    for (;;)
        pause();
}
