// The keys of helpdesk-sync beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <string>

namespace helpdesk_sync {

struct Config {
    std::string name = "main";

    void declare(syncline::kit::ConfigSchema& schema);
    // helpdesk-sync.<name>.v1: a contract, renaming it reads everything again.
    [[nodiscard]] std::string group() const { return "helpdesk-sync." + name + ".v1"; }
};

}  // namespace helpdesk_sync
