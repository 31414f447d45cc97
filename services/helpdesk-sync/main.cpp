#include <syncline/kit/service.h>

#include "wiring.h"

int main(int argc, char** argv) {
    return syncline::kit::run("helpdesk-sync", argc, argv, helpdesk_sync::wire);
}
