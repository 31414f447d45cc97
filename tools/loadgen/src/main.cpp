// loadgen: seeded Shopify webhooks of every kind and stock of push sources, sent as their senders send them, and what must have
// become of them.
#include <fmt/format.h>
#include <syncline/core/decimal.h>
#include <syncline/core/time.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "src/sender.h"
#include "src/stock.h"
#include "src/workload.h"

namespace {

using loadgen::WorkloadOptions;
namespace core = syncline::core;

struct UsageError {
    std::string message;
};

// The command line's words, turned into options once they are all read.
struct WorkloadWords {
    WorkloadOptions options;
    std::vector<std::string> shops{"eu", "us"};
    std::vector<std::string> domains;
    std::string kinds = "everything";
    std::string mix = "real";
    std::string curve = "constant";
    std::string start;
    std::string rate;
    std::string duplicates = "0";
    std::string reordered = "0";
    std::int64_t duration_ms = 60'000;
    std::int64_t step_ms = 400;
    std::int64_t delay_ms = 5'000;

    void declare(CLI::App& app) {
        app.add_option("--seed", options.seed, "Equal seeds give equal bytes")->capture_default_str();
        app.add_option("--orders", options.orders, "Orders of all shops together")->capture_default_str();
        app.add_option("--first-order", options.first_order, "Number of each shop's first order; ids follow from it")
            ->capture_default_str();
        app.add_option("--shops", shops, "Aliases; equal order ids and SKUs in each")->delimiter(',')->capture_default_str();
        app.add_option("--domain", domains, "alias=domain, else <alias>-store.myshopify.com")->delimiter(',');
        app.add_option("--kinds", kinds, "Shares: everything, plain, plain=80,refund_full=20, everything,large=0")
            ->capture_default_str();
        app.add_option("--mix", mix, "single: one webhook an order; real: create, transaction, paid, two updates")
            ->capture_default_str();
        app.add_option("--curve", curve, "constant or black-friday")->capture_default_str();
        app.add_option("--rate", rate, "Orders a second on average; sets the duration");
        app.add_option("--duration-ms", duration_ms, "From the first order to the last")->capture_default_str();
        app.add_option("--step-ms", step_ms, "Between two things that happen to one order")->capture_default_str();
        app.add_option("--customers", options.customers, "Of each shop; 0: a fifth of its orders")->capture_default_str();
        app.add_option("--start", start, "Time of the first order: RFC 3339 or now; by default a fixed Friday");
        app.add_option("--duplicates", duplicates, "Share of deliveries that come twice, 0 to 1")->capture_default_str();
        app.add_option("--reorder", reordered, "Share of deliveries that are overtaken, 0 to 1")->capture_default_str();
        app.add_option("--delay-ms", delay_ms, "Longest delay of both")->capture_default_str();
        app.add_option("--poison", options.poison, "Well signed bodies that are no orders")->capture_default_str();
    }

    WorkloadOptions read() {
        std::map<std::string, std::string> names;
        for (const auto& pair : domains) {
            const auto equals = pair.find('=');
            names[pair.substr(0, equals)] = equals == std::string::npos ? "" : pair.substr(equals + 1);
        }
        for (const auto& alias : shops) {
            const auto named = names.find(alias);
            options.shops.push_back(
                loadgen::shop_of(alias, named == names.end() ? alias + "-store.myshopify.com" : named->second));
        }
        const auto shares = loadgen::Shares::parse(kinds);
        require(shares.has_value(),
                "--kinds: " + (shares ? std::string{} : shares.error().message + " (" + shares.error().hint + ")"));
        options.shares = *shares;
        require(mix == "single" || mix == "real", "--mix is single or real");
        options.mix = mix == "single" ? loadgen::Mix::single : loadgen::Mix::real;
        require(curve == "constant" || curve == "black-friday", "--curve is constant or black-friday");
        options.shape = curve == "constant" ? loadgen::Shape::constant : loadgen::Shape::black_friday;
        require(options.orders > 0 && !options.shops.empty(), "--orders and --shops must not be empty");
        require(duration_ms > 0 && step_ms > 0 && delay_ms > 0, "times must be above 0");
        options.duration = std::chrono::milliseconds(duration_ms);
        options.step = std::chrono::milliseconds(step_ms);
        options.delay_max = std::chrono::milliseconds(delay_ms);
        options.duplicates_per_million = per_million("--duplicates", duplicates);
        options.reordered_per_million = per_million("--reorder", reordered);
        if (!rate.empty()) {
            options.duration = duration_of(options.orders, rate);
        }
        options.start = start_of(start, options.start);
        return options;
    }

    static void require(bool holds, const std::string& message) {
        if (!holds) {
            throw UsageError{message};
        }
    }

    static std::chrono::milliseconds duration_of(std::uint64_t count, const std::string& rate) {
        const auto wanted = core::Decimal::parse(rate);
        require(wanted && wanted->sign() > 0, "--rate is a number above 0");
        const auto millis = core::Decimal(count * 1'000).divided_by(*wanted, 0, core::Rounding::half_up);
        return std::chrono::milliseconds(std::max<std::int64_t>(millis.value().to_int64().value(), 1));
    }

    static core::SystemTime start_of(const std::string& text, core::SystemTime by_default) {
        if (text == "now") {
            return core::system_clock().now();
        }
        if (text.empty()) {
            return by_default;
        }
        const auto time = core::parse_rfc3339(text);
        require(time.has_value(), "--start is a time of RFC 3339 or now");
        return *time;
    }

    static std::uint64_t per_million(const std::string& name, const std::string& text) {
        const auto share = core::Decimal::parse(text);
        const auto scaled = share * core::Decimal(1'000'000);
        require(scaled && share->sign() >= 0 && *share <= core::Decimal(1), name + " is a share from 0 to 1");
        return static_cast<std::uint64_t>(scaled->rounded(0, core::Rounding::down).to_int64().value());
    }
};

struct StockWords {
    loadgen::StockOptions options;
    std::string start;
    std::string rate;
    std::string reports = "0.4";
    std::string duplicates = "0";
    std::string reordered = "0";
    std::int64_t duration_ms = 60'000;
    std::int64_t delay_ms = 5'000;
    bool without_snapshot = false;

    void declare(CLI::App& app) {
        app.add_option("--seed", options.seed, "Equal seeds give equal bytes")->capture_default_str();
        app.add_option("--sources", options.sources, "Names as in sources.yaml; equal positions in each")
            ->delimiter(',')
            ->capture_default_str();
        app.add_option("--locations", options.locations, "Of each source")->capture_default_str();
        app.add_option("--skus", options.skus, "At each location")->capture_default_str();
        app.add_option("--changes", options.changes, "Records after the snapshots, of all sources together")
            ->capture_default_str();
        app.add_option("--reports", reports, "Share of the changes told as levels, 0 to 1; the others are adjustments")
            ->capture_default_str();
        app.add_option("--batch", options.batch, "Most records of one body")->capture_default_str();
        app.add_flag("--without-snapshot", without_snapshot, "Begin at zero, without a full snapshot of each source");
        app.add_option("--rate", rate, "Records a second on average, snapshots included; sets the duration");
        app.add_option("--duration-ms", duration_ms, "From the first body to the last")->capture_default_str();
        app.add_option("--start", start, "Time of the first record: RFC 3339 or now; by default a fixed Friday");
        app.add_option("--duplicates", duplicates, "Share of bodies that come twice, 0 to 1")->capture_default_str();
        app.add_option("--reorder", reordered, "Share of bodies that are overtaken, 0 to 1")->capture_default_str();
        app.add_option("--delay-ms", delay_ms, "Longest delay of both")->capture_default_str();
    }

    loadgen::StockOptions read() {
        using Words = WorkloadWords;
        auto names = options.sources;
        std::ranges::sort(names);
        Words::require(!names.empty() && std::ranges::adjacent_find(names) == names.end(), "--sources are names, each once");
        Words::require(options.locations > 0 && options.skus > 0 && options.batch > 0, "counts must be above 0");
        Words::require(duration_ms > 0 && delay_ms > 0, "times must be above 0");
        options.snapshot = !without_snapshot;
        options.reports_per_million = Words::per_million("--reports", reports);
        options.duplicates_per_million = Words::per_million("--duplicates", duplicates);
        options.reordered_per_million = Words::per_million("--reorder", reordered);
        options.delay_max = std::chrono::milliseconds(delay_ms);
        options.duration = std::chrono::milliseconds(duration_ms);
        if (!rate.empty()) {
            const auto snapshots = options.snapshot ? options.sources.size() * options.locations * options.skus : 0;
            options.duration = Words::duration_of(options.changes + snapshots, rate);
        }
        options.start = Words::start_of(start, options.start);
        return options;
    }
};

struct SendWords {
    std::string ingress;
    std::string in;
    std::vector<std::string> secrets;
    loadgen::SenderOptions options;
    std::int64_t retry_ms = 250;
    std::int64_t timeout_ms = 5'000;
    bool unpaced = false;
    bool progress = false;

    void declare(CLI::App& app) {
        app.add_option("--ingress", ingress, "http://host:port")->required();
        app.add_option("--in", in, "Lines of `generate`, with their times; else the options of `generate` are taken, - is stdin");
        app.add_option("--secret", secrets, "alias=FILE with the secret of the shop, or the API key of the source")
            ->delimiter(',')
            ->required();
        app.add_option("--connections", options.connections, "Connections that are kept")->capture_default_str();
        app.add_flag("--unpaced", unpaced, "As fast as the connections carry");
        app.add_option("--in-flight", options.in_flight_max, "Most deliveries under way when unpaced; 0: four a connection")
            ->capture_default_str();
        app.add_option("--retries", options.retries, "How often a delivery is repeated")->capture_default_str();
        app.add_option("--retry-ms", retry_ms, "First wait, doubled each time")->capture_default_str();
        app.add_option("--timeout-ms", timeout_ms, "Of one request")->capture_default_str();
        app.add_flag("--progress", progress, "Counts so far as JSON lines on stderr");
    }

    void read() {
        if (const auto set = loadgen::set_url(options, ingress); !set) {
            throw UsageError{"--ingress: " + set.error().message};
        }
        for (const auto& pair : secrets) {
            const auto equals = pair.find('=');
            std::ifstream file(equals == std::string::npos ? std::string{} : pair.substr(equals + 1));
            std::string secret;
            if (!std::getline(file, secret) || secret.empty()) {
                throw UsageError{"--secret " + pair.substr(0, equals) + ": no secret in that file"};
            }
            options.secrets[pair.substr(0, equals)] = secret;
        }
        options.paced = !unpaced;
        options.retry_wait = std::chrono::milliseconds(retry_ms);
        options.request_timeout = std::chrono::milliseconds(timeout_ms);
        if (progress) {
            options.progress = [](const loadgen::Report& so_far) {
                fmt::print(stderr, "{{\"sent\":{},\"acknowledged\":{},\"given_up\":{}}}\n", so_far.deliveries,
                           so_far.acknowledged, so_far.given_up);
            };
        }
    }
};

int generate(const loadgen::Source& source, const std::string& out) {
    std::FILE* const file = out == "-" ? stdout : std::fopen(out.c_str(), "we");
    if (file == nullptr) {
        throw UsageError{"cannot write " + out};
    }
    while (const auto webhook = source()) {
        fmt::print(file, "{}\n", loadgen::to_line(*webhook));
    }
    const bool written = std::fflush(file) == 0 && std::ferror(file) == 0;
    if (file != stdout) {
        std::fclose(file);
    }
    return written ? 0 : 1;
}

// Reads the lines of a file; a line that is none ends the run with its number.
loadgen::Source source_of_file(std::istream& file, const std::map<std::string, std::string>& secrets) {
    return [&file, &secrets, number = std::uint64_t{0}]() mutable -> std::optional<loadgen::Webhook> {
        std::string line;
        if (!std::getline(file, line)) {
            return std::nullopt;
        }
        ++number;
        auto webhook = loadgen::from_line(std::move(line));
        if (!webhook) {
            fmt::print(stderr, "loadgen: line {}: {}\n", number, webhook.error().message);
            return std::nullopt;
        }
        if (!secrets.contains(webhook->shop)) {
            fmt::print(stderr, "loadgen: line {}: --secret for its shop is missing\n", number);
            return std::nullopt;
        }
        return std::move(*webhook);
    };
}

// `generated` unless --in names a file; `names` need a secret then.
int send(SendWords& sending, const std::vector<std::string>& names, const loadgen::Source& generated) {
    loadgen::Report report;
    if (sending.in.empty()) {
        for (const auto& name : names) {
            WorkloadWords::require(sending.options.secrets.contains(name), "--secret for " + name + " is missing");
        }
        report = loadgen::send_all(sending.options, generated);
    } else {
        std::ifstream file;
        if (sending.in != "-") {
            file.open(sending.in);
            WorkloadWords::require(file.good(), "cannot read " + sending.in);
        }
        report = loadgen::send_all(sending.options, source_of_file(sending.in == "-" ? std::cin : file, sending.options.secrets));
    }
    fmt::print("{}\n", report.to_json());
    return report.given_up == 0 && report.unfinished == 0 && !report.errors.contains("resolve") ? 0 : 1;
}

int send_orders(WorkloadWords& words, SendWords& sending) {
    sending.read();
    const auto options = words.read();
    std::vector<std::string> names;
    for (const auto& shop : options.shops) {
        names.push_back(shop.alias);
    }
    loadgen::Workload workload(options);
    return send(sending, names, [&] { return workload.next(); });
}

int send_stock(StockWords& words, SendWords& sending) {
    sending.read();
    const auto options = words.read();
    loadgen::StockWorkload workload(options);
    return send(sending, options.sources, [&] { return workload.next(); });
}

void print_line(const std::string& line) {
    fmt::print("{}\n", line);
}

void list_kinds() {
    const auto shares = loadgen::Shares::everything();
    for (std::size_t i = 0; i < loadgen::kKinds; ++i) {
        const auto kind = static_cast<loadgen::Kind>(i);
        fmt::print("{:24} {}\n", loadgen::to_string(kind), shares.weight(kind));
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Seeded Shopify webhooks and stock: generate them, send them as Shopify does, tell what must have become of them."};
    app.require_subcommand(1);
    WorkloadWords words;
    SendWords sending;
    std::string out = "-";
    auto* const generating = app.add_subcommand("generate", "Write the deliveries as JSON lines");
    words.declare(*generating);
    generating->add_option("--out", out, "File, - is stdout")->capture_default_str();
    auto* const expecting = app.add_subcommand("expect", "Print the final state of each order and a summary as JSON lines");
    words.declare(*expecting);
    auto* const sender = app.add_subcommand("send", "Send signed deliveries to ingress and print a report as JSON");
    words.declare(*sender);
    sending.declare(*sender);
    auto* const listing = app.add_subcommand("kinds", "List the kinds of orders with their default shares");
    auto* const stock = app.add_subcommand("stock", "Stock of push sources instead of webhooks");
    stock->require_subcommand(1);
    StockWords stock_words;
    SendWords stock_sending;
    auto* const stock_generating = stock->add_subcommand("generate", "Write the bodies as JSON lines");
    stock_words.declare(*stock_generating);
    stock_generating->add_option("--out", out, "File, - is stdout")->capture_default_str();
    auto* const stock_expecting = stock->add_subcommand("expect", "Print the final level of each position as JSON lines");
    stock_words.declare(*stock_expecting);
    auto* const stock_sender = stock->add_subcommand("send", "Post bodies with the API keys of their sources; a report as JSON");
    stock_words.declare(*stock_sender);
    stock_sending.declare(*stock_sender);
    CLI11_PARSE(app, argc, argv);
    try {
        if (listing->parsed()) {
            list_kinds();
            return 0;
        }
        if (generating->parsed()) {
            loadgen::Workload workload(words.read());
            return generate([&] { return workload.next(); }, out);
        }
        if (expecting->parsed()) {
            loadgen::write_expectations(words.read(), print_line);
            return 0;
        }
        if (stock_generating->parsed()) {
            loadgen::StockWorkload workload(stock_words.read());
            return generate([&] { return workload.next(); }, out);
        }
        if (stock_expecting->parsed()) {
            loadgen::write_stock_expectations(stock_words.read(), print_line);
            return 0;
        }
        return stock_sender->parsed() ? send_stock(stock_words, stock_sending) : send_orders(words, sending);
    } catch (const UsageError& error) {
        fmt::print(stderr, "loadgen: {}\n", error.message);
        return 2;
    }
}
