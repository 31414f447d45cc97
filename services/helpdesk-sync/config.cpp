#include "config.h"

namespace helpdesk_sync {

namespace kit = syncline::kit;

void Config::declare(kit::ConfigSchema& schema) {
    schema.add("name", name, {.help = "Name of this deployment, part of the consumer group.", .validate = kit::must_be_alias});
}

}  // namespace helpdesk_sync
