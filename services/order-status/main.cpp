#include <syncline/kit/service.h>

#include "wiring.h"

int main(int argc, char** argv) {
    return syncline::kit::run("order-status", argc, argv, order_status::wire);
}
