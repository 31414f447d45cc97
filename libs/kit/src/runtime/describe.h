// What --help, --describe and --check-config print. Internal to the runtime.
#pragma once

#include <string>

#include "src/runtime/service_core.h"

namespace syncline::kit {

// One JSON object; the source of docs/configuration.md, docs/metrics.md, the services' README tables and the chart's schema.
[[nodiscard]] std::string describe_json(ServiceCore& service);
// Every key with type, default and help, for --help.
[[nodiscard]] std::string keys_text(const ServiceCore& service);
// Every key with the value in force, the shops and the mappings, for --check-config.
[[nodiscard]] std::string check_table(ServiceCore& service);
// {"service": …, "version": …, "source": …}
[[nodiscard]] std::string version_json(const ServiceCore& service);

}  // namespace syncline::kit
