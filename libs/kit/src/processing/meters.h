// The metrics of processing; docs and --describe take names and helps from here.
#pragma once

#include <syncline/telemetry/metrics.h>

namespace syncline::kit {

// What both shapes of handler count; declared once in a process.
struct EventMeters {
    explicit EventMeters(telemetry::Metrics& metrics)
        : events(metrics.counter("syncline_events_total", "Events by what became of them.", {"handler", "outcome", "code"})),
          age_seconds(metrics.histogram("syncline_event_age_seconds", "From being received by Syncline to being settled.",
                                        {"handler"}, telemetry::delay_buckets())),
          dead_letters(metrics.counter("syncline_dead_letters_total", "Events that ended as dead letters.", {"class", "code"})),
          outbox_sent(metrics.counter("syncline_outbox_sent_total", "Events relayed from the outbox.")),
          outbox_failed(
              metrics.counter("syncline_outbox_send_failures_total", "Sends from the outbox that failed and will be repeated.")),
          outbox_unsent(metrics.gauge("syncline_outbox_unsent", "Events in the outbox.")),
          outbox_oldest(metrics.gauge("syncline_outbox_oldest_timestamp_seconds",
                                      "When the oldest event in the outbox was written; 0 if none.")) {}

    telemetry::CounterFamily events;
    telemetry::HistogramFamily age_seconds;
    telemetry::CounterFamily dead_letters;
    telemetry::Counter outbox_sent;
    telemetry::Counter outbox_failed;
    telemetry::Gauge outbox_unsent;
    telemetry::Gauge outbox_oldest;
};

// Of handlers by key.
struct Meters : EventMeters {
    Meters(const EventMeters& shared, telemetry::Metrics& metrics)
        : EventMeters(shared),
          handle_seconds(metrics.histogram("syncline_event_handle_seconds", "Time a handler took.", {"handler"},
                                           telemetry::duration_buckets())),
          duplicates(metrics.counter("syncline_duplicates_total", "Events that had been settled before.")),
          verifications(metrics.counter("syncline_verifications_total", "Documents read back because a lease had run out.")),
          inbox_deleted(metrics.counter("syncline_inbox_deleted_total", "Inbox rows deleted after their time.")),
          records_gone(metrics.counter("syncline_records_gone_total", "Records wanted again that retention had taken.")),
          parked_keys(metrics.gauge("syncline_parked_keys", "Keys that wait for another attempt.")),
          held_keys(metrics.gauge("syncline_held_keys", "Keys that wait for a mapping or a person.")),
          oldest_parked(
              metrics.gauge("syncline_oldest_parked_timestamp_seconds", "Since when the oldest parked key waits; 0 if none.")),
          oldest_held(
              metrics.gauge("syncline_oldest_held_timestamp_seconds", "Since when the oldest held key waits; 0 if none.")),
          circuit_open(metrics.gauge("syncline_circuit_open", "1 while the target is considered away.", {"connection"})) {}

    telemetry::HistogramFamily handle_seconds;
    telemetry::Counter duplicates;
    telemetry::Counter verifications;
    telemetry::Counter inbox_deleted;
    telemetry::Counter records_gone;
    telemetry::Gauge parked_keys;
    telemetry::Gauge held_keys;
    telemetry::Gauge oldest_parked;
    telemetry::Gauge oldest_held;
    telemetry::GaugeFamily circuit_open;
};

}  // namespace syncline::kit
