// helpdesk-sync: orders and refunds that do not arrive in their target, as tickets; one for each cause.
#include "wiring.h"

#include <syncline/telemetry/metrics.h>
#include <syncline/topics.h>

#include "adapters/event_mapping.h"
#include "adapters/pg_tickets.h"
#include "adapters/pg_troubles.h"
#include "adapters/zendesk_desk.h"
#include "app/keep_ticket.h"
#include "app/record_trouble.h"

namespace helpdesk_sync {
namespace {

namespace topics = syncline::topics;
using kit::Outcome;

template <typename Event>
void record(kit::Service& service, const Config& config, RecordTrouble& record_trouble) {
    service.on<Event>({.topic = topics::exports,
                       .consumer_group = config.group(),
                       .family = kit::Family::fact,
                       // What one connection says waits in its order; the others' is not held up by it.
                       .resource = [](const Event& event) { return "connection/" + event.context().connection(); },
                       .version = {},
                       .handle =
                           [&record_trouble](const Event& event, kit::Delivery& delivery) {
                               const auto said = said_by(event, delivery.headers());
                               return said ? record_trouble.run(*said, delivery) : Outcome::failed(said.error());
                           }});
}

}  // namespace

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    auto requester = config.requester;
    requester.external_id = "syncline." + config.name;
    auto& client = service.own<syncline::zendesk::Client>(service.http(), config.account(), service.clock(), service.metrics());
    service.target({.connection = "zendesk",
                    .probe = [&client](core::Deadline deadline) { return client.probe(deadline); },
                    .longest_request = config.longest_request});
    wire_with(service, config, service.own<ZendeskDesk>(client, requester, config.form()));
}

void wire_with(kit::Service& service, const Config& config, HelpDesk& desk) {
    auto& clock = service.clock();
    service.migration("0001_troubles", kSchema);
    auto& troubles = service.own<PgTroubles>(service.postgres(), clock, config.name);
    auto& tickets = service.own<PgTickets>(service.postgres(), clock, config.name);
    const auto written =
        service.metrics().counter("syncline_helpdesk_sync_tickets_total",
                                  "What was written to tickets, by what it was and the kind of trouble.", {"action", "trouble"});
    auto& record_trouble = service.own<RecordTrouble>(troubles);
    auto& keep_ticket = service.own<KeepTicket>(
        KeepTicket::Ports{
            .tickets = tickets,
            .desk = desk,
            .written = [written](Action action, Trouble trouble) { written.with({to_string(action), to_string(trouble)}).add(); },
            .clock = clock},
        config.name, config.pace);
    service.publishes(topics::helpdesk, {helpdesk_v1::CauseChanged::descriptor()->full_name()});
    record<exports_v1::OrderExported>(service, config, record_trouble);
    record<exports_v1::OrderExportHeld>(service, config, record_trouble);
    record<exports_v1::OrderExportFailed>(service, config, record_trouble);
    record<exports_v1::RefundExported>(service, config, record_trouble);
    record<exports_v1::RefundExportHeld>(service, config, record_trouble);
    record<exports_v1::RefundExportFailed>(service, config, record_trouble);
    record<exports_v1::ExportHoldEnded>(service, config, record_trouble);
    service.on<helpdesk_v1::CauseChanged>(
        {.topic = topics::helpdesk,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         .resource = [](const auto&) { return std::string("ticket"); },
         .version = {},
         .handle =
             [&keep_ticket, helpdesk = config.name](const helpdesk_v1::CauseChanged& event, kit::Delivery& delivery) {
                 if (event.helpdesk() != helpdesk) {
                     return Outcome::skip("of_another_helpdesk");
                 }
                 const auto touched = touched_by(event);
                 return touched ? keep_ticket.run(touched->cause, touched->order, delivery) : Outcome::failed(touched.error());
             }});
}

}  // namespace helpdesk_sync
