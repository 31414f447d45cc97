// The verbs of synclinectl. Each prints to services.out() and returns the exit code.
#pragma once

#include "event_log.h"
#include "services.h"

#include <chrono>
#include <string>
#include <vector>

namespace synclinectl {

int list_dead_letters(Services& services);
int show_dead_letter(Services& services, const std::string& id);
// Those named, or with `all` those that fit the filters. "replay" or "discard".
int act_on_dead_letters(Services& services, const std::string& verb, const std::vector<std::string>& ids, bool all);

int list_holds(Services& services);
int show_hold(Services& services, const std::string& key);
int release_hold(Services& services, const std::string& key);
// Without --code the code of the hold, if it has only one.
int override_hold(Services& services, const std::string& key);
int list_parked(Services& services);

int pause_connection(Services& services, bool pausing);
int redrive(Services& services, const std::string& event_id);

// The orders of a shop that changed in a window: those that never came are fetched ("reconcile"), or all of them ("backfill").
struct OrderWindow {
    std::string kind;
    std::string until;  // RFC 3339; empty: now.
    bool wait = false;
    std::chrono::seconds wait_at_most{3600};
};
int check_orders(Services& services, const OrderWindow& window);
int show_order_check(Services& services, const std::string& run);

// The stock of a shop, compared now.
struct StockRunWish {
    std::string location;  // Shopify's id; empty: all.
    std::string source;    // "syncline", or a source; empty: all.
    bool accept_size = false;
    bool wait = false;
    std::chrono::seconds wait_at_most{3600};
};
int reconcile_stock(Services& services, const StockRunWish& wish);
int list_stock_runs(Services& services);
int show_stock_run(Services& services, const std::string& run);
int approve_stock_run(Services& services, const std::string& run);

// Every pair of a shop is read in Shopify and sent again where it differs.
struct StockBackfill {
    std::string location;  // Shopify's id; empty: all.
    bool wait = false;
    std::chrono::seconds wait_at_most{3600};
};
int backfill_stock(Services& services, const StockBackfill& wish);

// `log` may be null: then only what the services know.
int show_order(Services& services, EventLog* log, const std::string& shop, const std::string& order, int scan);

int doctor(Services& services, ClusterView* cluster);

}  // namespace synclinectl
