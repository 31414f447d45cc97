#include <syncline/kit/service.h>

#include "wiring.h"

int main(int argc, char** argv) {
    return syncline::kit::run("inventory-sync", argc, argv, inventory_sync::wire);
}
