#include "config.h"

#include <optional>
#include <string_view>

namespace ingress {

namespace {

std::optional<std::string> must_be_network(std::string_view text) {
    const auto list = AddressList::parse({std::string(text)});
    return list ? std::nullopt : std::optional(list.error().message);
}

std::optional<std::string> must_be_path(std::string_view text) {
    return text.size() > 1 && text.front() == '/' && text.back() != '/' ? std::nullopt
                                                                        : std::optional<std::string>("is no path like /stock");
}

}  // namespace

void Config::declare(syncline::kit::ConfigSchema& schema) {
    using syncline::kit::must_be_host_port;
    schema.add("listen", listen, {.help = "Address and port of the public door.", .validate = must_be_host_port});
    schema.add("path", path, {.help = "Where Shopify's webhooks are posted to."});
    schema.add("threads", threads,
               {.help = "Threads that verify, map and publish; each keeps one core busy.", .min = 1, .max = 16});
    schema.add("tls.certificate_file", certificate_file,
               {.help = "Certificate chain (PEM) of the public door; empty: plain HTTP behind a proxy. Re-read on change."});
    schema.add("tls.key_file", key_file, {.help = "Private key (PEM) of the certificate. Re-read on change."});
    schema.add("allow.addresses", allowed_addresses,
               {.help = "Networks that may send webhooks; empty: all. The signature is checked anyway.",
                .validate = must_be_network,
                .example = "203.0.113.0/24"});
    schema.add("allow.trusted_proxies", trusted_proxies,
               {.help = "Networks of proxies whose word about the caller's address is believed.",
                .validate = must_be_network,
                .example = "10.0.0.0/8"});
    schema.add("allow.forwarded_header", forwarded_header,
               {.help = "Header in which a trusted proxy names the caller, lower case."});
    schema.add("acknowledge_limit", acknowledge_limit,
               {.help = "How long a webhook waits for the brokers before it is answered 503; Shopify waits 5 s.",
                .min = 100,
                .max = 4'500});
    schema.add("retry_after", retry_after, {.help = "Retry-After of 503 and 429, whole seconds.", .min = 1'000, .max = 60'000});
    schema.add("door.header_bytes_max", header_bytes_max,
               {.help = "Largest request head; above it 431.", .min = 4'096, .max = 1 << 20});
    schema.add(
        "door.body_bytes_max", body_bytes_max,
        {.help = "Largest body; above it 413. An event of it has to fit a record of 10 MiB.", .min = 65'536, .max = 8 << 20});
    schema.add(
        "door.bytes_in_flight_max", bytes_in_flight_max,
        {.help = "Bytes of bodies being read or not yet answered, of all requests together; above it 503.", .min = 1 << 20});
    schema.add("door.header_timeout", header_timeout,
               {.help = "From the connection to the end of the head; then 408.", .min = 100});
    schema.add("door.body_timeout", body_timeout,
               {.help = "From the end of the head to the end of the body; then 408.", .min = 100});
    schema.add("door.idle_timeout", idle_timeout,
               {.help = "Between two requests of one connection; then it is closed.", .min = 100});
    schema.add("door.connections_max", connections_max, {.help = "Open connections.", .unit = "connections", .min = 1});
    schema.add("door.requests_in_flight_max", requests_in_flight_max,
               {.help = "Requests that wait for their answer; above it 503.", .unit = "requests", .min = 1});
    schema.add("door.shop_share_percent", shop_share_percent,
               {.help = "Share of the two limits in flight that one shop or stock source may use; above it 429.",
                .unit = "percent",
                .min = 1,
                .max = 100});
    schema.add("stock.path", stock_path,
               {.help = "Stock sources post to this path, a slash and their name.", .validate = must_be_path});
    schema.add("stock.sources_file", stock_sources_file,
               {.help = "sources.yaml: who may push stock, how it proves itself and what its quantities mean; re-read on change. "
                        "Empty: nobody.",
                .example = "/etc/syncline/sources.yaml"});
    schema.add("stock.records_max", stock_records_max,
               {.help = "Most reports and adjustments of one body; above it 413.", .unit = "records", .min = 1, .max = 10'000});
    schema.add("stock.body_bytes_max", stock_body_bytes_max,
               {.help = "Largest body of stock; above it 413.", .min = 1'024, .max = 8 << 20});
    schema.add("stock.clock_skew_max", stock_clock_skew_max,
               {.help = "How far a source's clock may be ahead; a level observed later than that is refused.",
                .min = 0,
                .max = 3'600'000});
    schema.add(
        "stock.acknowledge_limit", stock_acknowledge_limit,
        {.help = "How long a request with stock waits for the brokers before it is answered 503.", .min = 100, .max = 120'000});
    schema.add(
        "stock.records_in_flight_max", stock_records_in_flight_max,
        {.help = "Stock records that wait for the brokers, of all sources together; above it 429. The producer's queue, which "
                 "the webhooks share, holds 100,000.",
         .unit = "records",
         .min = 1,
         .max = 90'000});
    schema.add("stock.source_share_percent", stock_source_share_percent,
               {.help = "Share of that number which one source may use; above it 429.", .unit = "percent", .min = 1, .max = 100});
    schema.check("stock.path", [this]() -> std::optional<std::string> {
        return path.starts_with(stock_path + '/') || path == stock_path
                   ? std::optional<std::string>("the path of the webhooks lies below it")
                   : std::nullopt;
    });
    schema.check("tls.key_file", [this]() -> std::optional<std::string> {
        return certificate_file.empty() == key_file.empty()
                   ? std::nullopt
                   : std::optional<std::string>("certificate and key are given together");
    });
}

HttpDoorOptions Config::door(syncline::core::Clock& clock) const {
    HttpDoorOptions options;
    options.path = path;
    options.allowed = AddressList::parse(allowed_addresses).value_or(AddressList{});
    options.trusted_proxies = AddressList::parse(trusted_proxies).value_or(AddressList{});
    options.forwarded_header = forwarded_header;
    options.retry_after = std::chrono::duration_cast<std::chrono::seconds>(retry_after);
    auto& server = options.server;
    server.listen = listen;
    server.name = "webhooks";
    server.threads = threads;
    if (!certificate_file.empty()) {
        server.tls = syncline::http::TlsOptions{.certificate_file = certificate_file, .key_file = key_file};
    }
    server.header_bytes_max = header_bytes_max.value;
    server.body_bytes_max = body_bytes_max.value;
    server.bytes_in_flight_max = bytes_in_flight_max.value;
    server.header_timeout = header_timeout;
    server.body_timeout = body_timeout;
    server.idle_timeout = idle_timeout;
    server.connections_max = static_cast<std::size_t>(connections_max);
    server.requests_in_flight_max = static_cast<std::size_t>(requests_in_flight_max);
    server.tag_share_percent = static_cast<unsigned>(shop_share_percent);
    server.retry_after = options.retry_after;
    server.clock = &clock;
    return options;
}

StockDoorOptions Config::stock_door() const {
    return {.path = stock_path,
            .body_bytes_max = stock_body_bytes_max.value,
            .retry_after = std::chrono::duration_cast<std::chrono::seconds>(retry_after)};
}

StockRules Config::stock_rules() const {
    return {.records_max = static_cast<std::size_t>(stock_records_max), .clock_skew_max = stock_clock_skew_max};
}

StockLimits Config::stock_limits() const {
    return {.acknowledge_limit = stock_acknowledge_limit,
            .records_in_flight_max = static_cast<std::size_t>(stock_records_in_flight_max),
            .source_share_percent = static_cast<unsigned>(stock_source_share_percent)};
}

}  // namespace ingress
