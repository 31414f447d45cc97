#include "config.h"

namespace order_export {

namespace kit = syncline::kit;

void Config::declare(kit::ConfigSchema& schema) {
    schema.add(
        "connection", connection,
        {.help =
             "Name of the target, part of every stored key and of the consumer group; mappings/<connection>.yaml belongs to it.",
         .required = true,
         .validate = kit::must_be_alias,
         .example = "odoo-main"});
    schema.add("target.url", url,
               {.help = "Address of the Odoo server, without a path.",
                .required = true,
                .validate = kit::must_be_url,
                .example = "https://erp.example.com"});
    schema.add("target.database", database,
               {.help = "Odoo database; may be empty where the host serves one database over JSON-2.", .example = "production"});
    schema.add("target.login", login,
               {.help = "Login of the API key's user; needed for Odoo 16 to 18 (JSON-RPC).", .example = "integration"});
    schema.add("target.api_key_file", api_key, {.help = "File with the API key; re-read when it changes.", .required = true});
    schema.add("contact_key_file", contact_key,
               {.help = "File with the secret of the keyed hashes of guests and addresses; changing it creates guests anew.",
                .required = true});
    schema.add("target.batch_max", calls.batch_max,
               {.help = "Most records of different orders in one call.", .unit = "orders", .min = 1, .max = 500});
    schema.add("target.read_batch_max", calls.read_batch_max,
               {.help = "Most records of different orders in one reading call.", .unit = "orders", .min = 1, .max = 1000});
    schema.add("target.linger", calls.linger, {.help = "How long a writing call waits for company.", .min = 0, .max = 1000});
    schema.add("target.read_linger", calls.read_linger,
               {.help = "How long a reading call waits for company.", .min = 0, .max = 1000});
    schema.add("target.calls_in_flight", calls.calls_in_flight,
               {.help = "Writing calls at once; more than the server has workers makes it slower.",
                .unit = "calls",
                .min = 1,
                .max = 64});
    schema.add("target.read_calls_in_flight", calls.read_calls_in_flight,
               {.help = "Reading calls at once.", .unit = "calls", .min = 1, .max = 64});
    schema.add("target.call_timeout", calls.call_timeout,
               {.help = "Total time of one writing call.", .min = 1000, .max = 600'000});
    schema.add("target.read_timeout", calls.read_timeout,
               {.help = "Total time of one reading call.", .min = 1000, .max = 600'000});
    schema.add("target.longest_request", longest_request,
               {.help = "How long the server may go on with a request whose client has gone (limit_time_real).",
                .min = 1000,
                .max = 3'600'000});
    schema.add(
        "documents.poll", watch.poll,
        {.help = "How often the target is asked what people did to documents by hand; 0: never.", .min = 0, .max = 86'400'000});
    schema.add("documents.overlap", watch.overlap,
               {.help = "How far each look goes back before the last: longer than a transaction of the target may take.",
                .min = 1'000,
                .max = 86'400'000});
    schema.add("documents.holds_quiet", watch.holds_quiet,
               {.help = "How long nothing of an order must have waited until its hold is told as ended.",
                .min = 1'000,
                .max = 3'600'000});
    schema.add("remembered_contacts_max", remembered_contacts_max,
               {.help = "Contacts and addresses whose ids are kept in memory.", .unit = "records", .min = 0, .max = 10'000'000});
    schema.add("remembered_products_max", remembered_products_max,
               {.help = "Products whose ids are kept in memory.", .unit = "records", .min = 0, .max = 10'000'000});
}

syncline::odoo::Target Config::target() const {
    auto address = url;
    while (!address.empty() && address.back() == '/') {
        address.pop_back();
    }
    return {.url = std::move(address), .database = database, .login = login, .api_key = [key = api_key] {
                return key.current();
            }};
}

}  // namespace order_export
