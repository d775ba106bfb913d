// podinit: holds a cluster's pods. See protocol.hpp for what it promises.
#include "fakes/podinit/groups.hpp"
#include "fakes/podinit/keeper.hpp"

#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
    if (argc >= 3 && std::strcmp(argv[1], "holder") == 0)
        return shed::podinit::keep(argv[2], argc > 3 ? argv[3] : "", {argv + (argc > 4 ? 4 : argc), argv + argc});
    if (argc == 3 && std::strcmp(argv[1], "sweep") == 0) return shed::podinit::sweep(argv[2]);
    if (argc == 3 && std::strcmp(argv[1], "sweep-groups") == 0) {
        shed::podinit::remove_groups(argv[2]);
        return 0;
    }
    std::fputs("usage: podinit holder DIR [ALSO [SHARED...]] | podinit sweep DIR | podinit sweep-groups FILE\n", stderr);
    return 2;
}
