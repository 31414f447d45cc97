#include "stock_config.h"

#include "app/schedule.h"

namespace reconciliation {

namespace kit = syncline::kit;

void StockConfig::declare(kit::ConfigSchema& schema) {
    schema.add("stock.mapping", mapping,
               {.help = "inventory-sync's mapping, read from mappings_dir: which place feeds which location, and by what "
                        "basis. Empty: stock is not compared.",
                .validate = [](std::string_view text) { return text.empty() ? std::nullopt : kit::must_be_alias(text); },
                .example = "stock-main"});
    schema.add("stock.inventory_sync.urls", inventory_sync,
               {.help = "Admin addresses of inventory-sync's instances; the first that answers is asked.",
                .validate = kit::must_be_url,
                .example = "http://inventory-sync:9400"});
    schema.add("stock.inventory_sync.token_file", inventory_sync_token,
               {.help = "File with the token of inventory-sync's admin port, alone or as name:token."});
    schema.add("stock.spill_folder", spill_folder,
               {.help = "Folder for snapshots that do not fit into memory; about half of their text is written there."});
    schema.add("stock.memory", memory,
               {.help = "Memory of one comparison.", .min = std::int64_t{8} << 20U, .max = std::int64_t{1} << 32U});
    schema.add("stock.nightly_at", nightly,
               {.help = "When the nightly full run begins, by the clock of stock.timezone; empty: no nightly run.",
                .validate = must_be_local_time,
                .example = "02:30"});
    schema.add("stock.timezone", timezone,
               {.help = "Time zone of stock.nightly_at; empty: that of the shop.",
                .validate = must_be_time_zone,
                .example = "Europe/Berlin"});
    schema.add("stock.changed_every", changed_every,
               {.help = "How often the levels changed since the last run are compared; 0s: never.", .min = 0, .max = 86'400'000});
    schema.add("stock.sync_delay", sync_delay,
               {.help = "A value younger than this may still be travelling.", .min = 0, .max = 86'400'000});
    schema.add(
        "stock.clock_skew", clock_skew,
        {.help = "How far the clocks of two systems may be apart; changed runs overlap by it.", .min = 0, .max = 3'600'000});
    schema.add("stock.bulk_timeout", bulk_timeout,
               {.help = "How long Shopify may take for a bulk query.", .min = 1'000, .max = 86'400'000});
    schema.add("stock.healing", healing,
               {.help = "What is done about a difference: off nothing, propose shows it to a person, correct has inventory-sync "
                        "look at the pair again and write what is true.",
                .choices = {"off", "propose", "correct"}});
    schema.add(
        "stock.brake.percent", brake_percent,
        {.help = "A run that would change more of all pairs than this stops and asks.", .unit = "percent", .min = 0, .max = 100});
    schema.add("stock.brake.zero", brake_zero,
               {.help = "A run that would set more pairs to zero than this stops and asks.", .unit = "pairs", .min = 0});
    schema.add("stock.shrink_refused", shrink_percent,
               {.help = "A snapshot that lost more of its rows than this since the last run is refused.",
                .unit = "percent",
                .min = 1,
                .max = 100});
    schema.add("stock.differences_max", differences_max,
               {.help = "Most differences of a run that are kept and announced; the rest is counted, and nothing is corrected.",
                .unit = "differences",
                .min = 1,
                .max = 10'000'000});
    schema.add("stock.keep_days", keep_days, {.help = "How long runs are kept.", .unit = "days", .min = 1, .max = 3'650});
}

}  // namespace reconciliation
