// What Prometheus users expect of every process: memory, processor time, open files, start time. Internal to the runtime.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/telemetry/metrics.h>
#include <string_view>

namespace syncline::kit {

// Declares process_* and syncline_build_info. `metrics` outlives the process's work; reads /proc at each scrape.
void declare_process_metrics(telemetry::Metrics& metrics, std::string_view version, core::SystemTime now);

}  // namespace syncline::kit
