// The metrics of batches, beside those of events in general (processing/meters.h).
#pragma once

#include <syncline/telemetry/metrics.h>

namespace syncline::kit {

struct BatchMeters {
    explicit BatchMeters(telemetry::Metrics& metrics)
        : batches(metrics.counter("syncline_batches_total",
                                  "Batches by what became of them: applied, halved (an error stands somewhere inside), dropped "
                                  "(another owner had gone on).",
                                  {"topic", "outcome"})),
          records(metrics.histogram("syncline_batch_records", "Records of a batch.", {"topic"},
                                    {1, 10, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000})),
          apply_seconds(metrics.histogram("syncline_batch_apply_seconds", "Time that applying a batch took.", {"topic"},
                                          telemetry::duration_buckets())) {}

    telemetry::CounterFamily batches;
    telemetry::HistogramFamily records;
    telemetry::HistogramFamily apply_seconds;
};

}  // namespace syncline::kit
