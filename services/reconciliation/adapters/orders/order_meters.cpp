#include "adapters/orders/order_meters.h"

#include <syncline/telemetry/log.h>
#include <utility>

namespace reconciliation {
namespace {

namespace log = syncline::telemetry::log;

std::string name(std::string_view rest) {
    return "syncline_reconciliation_" + std::string(rest);
}

}  // namespace

OrderMeters::OrderMeters(syncline::telemetry::Metrics& metrics, core::Clock& clock, Label label)
    : label_(std::move(label)),
      ages_(std::make_shared<Ages>()),
      found_(metrics.counter(name("orders_found_total"), "Orders that have to be fetched, by why.", {"shop", "reason"})),
      fetched_(metrics.counter(name("orders_fetched_total"),
                               "Noted orders by what became of them: fetched, came (by itself meanwhile), gone, unprovable "
                               "(gone or unreadable, nobody can tell), failed (tried again).",
                               {"shop", "outcome"})),
      published_(metrics.counter(name("orders_published_total"), "Events sent for fetched orders.", {"shop", "reason"})),
      errors_(metrics.counter(name("orders_errors_total"), "What went wrong in the check of orders and subscriptions.",
                              {"shop", "what", "code"})),
      repaired_(metrics.counter(name("subscriptions_repaired_total"), "Webhook subscriptions created, changed or removed.",
                                {"shop", "what"})),
      missing_(metrics.gauge(name("subscriptions_missing"), "Webhook subscriptions that are missing or wrong.", {"shop"})),
      open_(metrics.gauge(name("orders_to_fetch"), "Orders noted and not fetched yet.", {"shop"})) {
    metrics.gauge(name("orders_watermark_age_seconds"),
                  "How long ago the time lies up to which every order of the shop is known to be received.", {"shop"},
                  [ages = ages_, &clock] {
                      std::vector<syncline::telemetry::Sample> samples;
                      const std::lock_guard lock(ages->mutex);
                      for (const auto& [shop, covered] : ages->covered) {
                          samples.push_back(
                              {.label_values = {shop}, .value = std::chrono::duration<double>(clock.now() - covered).count()});
                      }
                      return samples;
                  });
}

void OrderMeters::scanned(const std::string& shop, const GapState& state) {
    const auto label = label_(shop);
    open_.with({label}).set(static_cast<double>(state.lookups));
    if (state.covered_until) {
        const std::lock_guard lock(ages_->mutex);
        ages_->covered[label] = *state.covered_until;
    }
}

void OrderMeters::found(const std::string& shop, FetchReason reason, std::int64_t orders) {
    found_.with({label_(shop), to_string(reason)}).add(static_cast<double>(orders));
}

void OrderMeters::fetched(const std::string& shop, std::string_view outcome) {
    fetched_.with({label_(shop), outcome}).add();
}

void OrderMeters::published(const std::string& shop, FetchReason reason, std::int64_t events) {
    published_.with({label_(shop), to_string(reason)}).add(static_cast<double>(events));
    log::info("order_reconciled", {{"shop", shop}, {"reason", to_string(reason)}, {"events", events}});
}

void OrderMeters::failed(const std::string& shop, std::string_view what, const core::Error& error) {
    errors_.with({label_(shop), what, error.code}).add();
    log::failure(log::Level::warn, what, error, {{"shop", shop}});
}

void OrderMeters::subscriptions(const std::string& shop, std::int64_t missing) {
    missing_.with({label_(shop)}).set(static_cast<double>(missing));
}

void OrderMeters::repaired(const std::string& shop, std::string_view what) {
    repaired_.with({label_(shop), what}).add();
    log::info("subscription_repaired", {{"shop", shop}, {"what", what}});
}

}  // namespace reconciliation
