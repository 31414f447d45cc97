#include <syncline/kit/service.h>

#include "wiring.h"

int main(int argc, char** argv) {
    return syncline::kit::run("reconciliation", argc, argv, reconciliation::wire);
}
