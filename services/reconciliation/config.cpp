#include "config.h"

namespace reconciliation {

namespace kit = syncline::kit;

void Config::declare(kit::ConfigSchema& schema) {
    schema.add("name", name,
               {.help = "Name of this deployment, part of the consumer group.",
                .required = true,
                .validate = kit::must_be_alias,
                .example = "main"});
    schema.add("lease", lease,
               {.help = "How long an instance works for a shop without renewing its lease.", .min = 3000, .max = 300'000});
    stock.declare(schema);
    orders.declare(schema);
}

}  // namespace reconciliation
