#include "config.h"

namespace inventory_sync {

namespace kit = syncline::kit;

void Config::declare(kit::ConfigSchema& schema) {
    schema.add("name", name,
               {.help = "Name of this deployment, part of the consumer group; mappings/<name>.yaml belongs to it.",
                .required = true,
                .validate = kit::must_be_alias,
                .example = "stock-main"});
    schema.add("compute.threads", run.compute_threads,
               {.help = "Threads that compute what is to be shown.", .unit = "threads", .min = 1, .max = 16});
    schema.add("compute.skus_max", compute_skus_max,
               {.help = "Most SKUs computed in one transaction.", .unit = "SKUs", .min = 1, .max = 10'000});
    schema.add("send.calls_in_flight", run.calls_in_flight,
               {.help = "Writing calls at once for one shop.", .unit = "calls", .min = 1, .max = 32});
    schema.add("send.batch_max", send.batch_max,
               {.help = "Most pairs in one call; Shopify takes 250.", .unit = "pairs", .min = 1, .max = 250});
    schema.add("send.call_timeout", send.call_timeout,
               {.help = "Total time of one call, waiting for points included.", .min = 1000, .max = 600'000});
    schema.add("send.lease", run.lease,
               {.help = "How long an instance works for a shop without renewing it.", .min = 3000, .max = 300'000});
}

}  // namespace inventory_sync
