#include "syncline/odoo/gateway.h"

#include <syncline/core/gather.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/metrics.h>
#include <mutex>
#include <utility>

#include "batch.h"

namespace syncline::odoo {
namespace {

constexpr std::chrono::milliseconds kFactsTimeout{10'000};

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) {
        text += name;
        text += ',';
    }
    return text;
}

std::string lane(std::string_view method, std::string_view model, const Scope& scope, std::string_view further) {
    std::string name;
    name.reserve(64 + further.size());
    name.append(method).append("|").append(model).append("|").append(std::to_string(scope.company)).append("|");
    name.append(scope.language).append("|").append(further);
    return name;
}

}  // namespace

struct Gateway::State {
    using Batches = core::Gather<Work, Reply>;

    State(http::Client* client_in, Target target_in, GatewayOptions options_in, const core::Clock& clock_in,
          telemetry::Metrics& metrics)
        : client(client_in),
          target(std::move(target_in)),
          options(options_in),
          clock(clock_in),
          calls(
              metrics.counter("syncline_odoo_calls_total", "Calls to Odoo by method and how they ended.", {"method", "outcome"})),
          call_records(metrics.counter("syncline_odoo_call_records_total", "Records that travelled in calls to Odoo, by method.",
                                       {"method"})),
          call_seconds(metrics.histogram("syncline_odoo_call_seconds", "Time of one call to Odoo, by method.", {"method"},
                                         telemetry::duration_buckets())),
          runner(options, clock, [this](const Call& call, std::size_t records, const core::Deadline& deadline) {
              return send(call, records, deadline);
          }) {}

    core::Result<std::shared_ptr<Transport>> connected(const core::Deadline& deadline) {
        {
            const std::lock_guard lock(mutex);
            if (transport) {
                return transport;
            }
        }
        auto found = probe_version(*client, target, deadline);
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        const std::lock_guard lock(mutex);
        if (!transport) {
            version = *found;
            transport = make_transport(version, *client, target);
        }
        return transport;
    }

    core::Result<Answer> send(const Call& call, std::size_t records, const core::Deadline& deadline) {
        auto to = connected(deadline);
        if (!to) {
            return std::unexpected(std::move(to.error()));
        }
        const auto method = call.model + "." + call.method;
        const auto begin = clock.steady();
        auto answer = (*to)->call(call, deadline);
        call_seconds.with({method}).observe(std::chrono::duration<double>(clock.steady() - begin).count());
        calls.with({method, answer ? std::string_view("ok") : core::to_string(answer.error().kind)}).add();
        call_records.with({method}).add(static_cast<double>(records));
        return answer;
    }

    // As send(), for what changes nothing: asked again when the answer is lost, and never an unknown outcome.
    core::Result<Answer> ask(const Call& call, const core::Deadline& deadline) {
        auto answer = runner.ask(call, 1, deadline);
        if (!answer && answer.error().kind == core::ErrorKind::unknown_outcome) {
            answer.error().kind = core::ErrorKind::transient;
        }
        return answer;
    }

    // Threads start with the first request: --describe and --check-config make a Gateway too.
    Batches& changes() {
        std::call_once(changes_once, [this] {
            changes_made = std::make_unique<Batches>(gather(options.calls_in_flight, options.batch_max, options.linger), flush());
        });
        return *changes_made;
    }
    Batches& reads() {
        std::call_once(reads_once, [this] {
            reads_made = std::make_unique<Batches>(
                gather(options.read_calls_in_flight, options.read_batch_max, options.read_linger), flush());
        });
        return *reads_made;
    }
    [[nodiscard]] core::GatherOptions gather(int flushers, std::size_t batch_max, std::chrono::milliseconds linger) const {
        return {.batch_max = batch_max, .linger = linger, .flushers = flushers};
    }
    Batches::Flush flush() {
        return [this](std::vector<Work>&& batch) {
            return runner.run(std::move(batch));
        };
    }

    http::Client* const client;
    const Target target;
    const GatewayOptions options;
    const core::Clock& clock;
    const telemetry::CounterFamily calls;
    const telemetry::CounterFamily call_records;
    const telemetry::HistogramFamily call_seconds;
    BatchRunner runner;
    std::mutex mutex;  // Guards transport, version and known.
    std::shared_ptr<Transport> transport;
    Version version;
    std::optional<ServerFacts> known;
    std::once_flag changes_once;
    std::once_flag reads_once;
    std::unique_ptr<Batches> changes_made;  // Last: their threads use everything above.
    std::unique_ptr<Batches> reads_made;
};

Gateway::Gateway(http::Client& client, Target target, GatewayOptions options, const core::Clock& clock,
                 telemetry::Metrics& metrics)
    : state_(std::make_unique<State>(&client, std::move(target), options, clock, metrics)) {}

Gateway::Gateway(std::shared_ptr<Transport> transport, Version version, GatewayOptions options, const core::Clock& clock,
                 telemetry::Metrics& metrics)
    : state_(std::make_unique<State>(nullptr, Target{}, options, clock, metrics)) {
    state_->transport = std::move(transport);
    state_->version = std::move(version);
}

Gateway::~Gateway() = default;

core::Result<std::vector<std::int64_t>> Gateway::create_once(LoadRequest request, core::SteadyTime lease_until) {
    const auto name = lane("load", request.model, request.scope, joined(request.columns) + request.context);
    auto reply = state_->changes().submit(Work{.request = std::move(request), .lease_until = lease_until}, name);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return std::move(reply->ids);
}

core::Result<void> Gateway::act(ActRequest request, core::SteadyTime lease_until) {
    const auto name = lane(request.method, request.model, request.scope, request.context + joined(request.done_states));
    auto reply = state_->changes().submit(Work{.request = std::move(request), .lease_until = lease_until}, name);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

core::Result<void> Gateway::write(WriteRequest request, core::SteadyTime lease_until) {
    const auto name = lane("write", request.model, request.scope, request.values);
    auto reply = state_->changes().submit(Work{.request = std::move(request), .lease_until = lease_until}, name);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

core::Result<std::vector<Answer>> Gateway::read(ReadRequest request, const core::Deadline& deadline) {
    if (request.ids.empty()) {
        return std::vector<Answer>{};
    }
    const auto name = lane("read", request.model, request.scope, joined(request.fields));
    auto reply = state_->reads().submit(Work{.request = std::move(request), .deadline = deadline}, name);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return std::move(reply->records);
}

core::Result<std::vector<Answer>> Gateway::find(FindRequest request, const core::Deadline& deadline) {
    const auto name =
        lane("search_read", request.model, request.scope, request.field + "|" + joined(request.fields) + "|" + request.domain);
    auto reply = state_->reads().submit(Work{.request = std::move(request), .deadline = deadline}, name);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return std::move(reply->records);
}

core::Result<Answer> Gateway::call(const Call& call, const core::Deadline& deadline) {
    return state_->send(call, 1, deadline);
}

core::Result<void> Gateway::probe(const core::Deadline& deadline) {
    auto answer = state_->send({.model = "res.users", .method = "context_get"}, 1, deadline);
    if (answer) {
        return {};
    }
    if (answer.error().kind == core::ErrorKind::unknown_outcome) {
        answer.error().kind = core::ErrorKind::transient;
    }
    return std::unexpected(std::move(answer.error()));
}

core::Result<ServerFacts> Gateway::facts(const core::Deadline& deadline) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->known) {
            return *state_->known;
        }
    }
    const auto soon = core::Deadline(state_->clock, kFactsTimeout).sooner_of(deadline);
    const auto has = [&](std::string_view model, std::initializer_list<std::string_view> names) {
        json::Writer params;
        params.begin_object().key("allfields").begin_array();
        for (const auto name : names) {
            params.string(name);
        }
        params.end_array().key("attributes").begin_array().string("type").end_array().end_object();
        return state_->ask({.model = std::string(model), .method = "fields_get", .params = std::move(params).take()}, soon);
    };
    const auto line = has("sale.order.line", {"tax_ids", "tax_id"});
    if (!line) {
        return std::unexpected(line.error());
    }
    const auto order = has("sale.order", {"locked", "warehouse_id", "delivery_status"});
    if (!order) {
        return std::unexpected(order.error());
    }
    const auto present = [](const Answer& answer, std::string_view name) {
        return answer.value() && answer.value()->get(name).has_value();
    };
    ServerFacts facts;
    facts.line_taxes = present(*line, "tax_ids") ? "tax_ids" : "tax_id";
    facts.order_locked = present(*order, "locked");
    facts.order_warehouse = present(*order, "warehouse_id");
    facts.order_delivery = present(*order, "delivery_status");
    // A limited user may not read companies: then nothing is recommended.
    const auto company =
        state_->ask({.model = "res.company",
                     .method = "search_read",
                     .params = R"({"domain":[],"fields":["tax_calculation_rounding_method"],"order":"id","limit":1})"},
                    soon);
    if (company && company->value() && company->value()->size() > 0) {
        facts.company_rounding = text((*company->value()->elements().begin()).get("tax_calculation_rounding_method"));
    }
    const std::lock_guard lock(state_->mutex);
    facts.version = state_->version;
    state_->known = facts;
    return facts;
}

void Gateway::forget_facts() {
    const std::lock_guard lock(state_->mutex);
    state_->known.reset();
}

}  // namespace syncline::odoo
