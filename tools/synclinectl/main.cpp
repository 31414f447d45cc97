// synclinectl: an operator's view of a running Syncline. See --help.
#include "command_line.h"

#include <iostream>

int main(int argc, char** argv) {
    return synclinectl::run({argv + 1, argv + argc}, std::cout, std::cerr);
}
