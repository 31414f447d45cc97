// loadgen: seeded Shopify webhooks of every kind, sent as Shopify sends them, and what must have become of them.
#include <fmt/format.h>
#include <syncline/core/decimal.h>
#include <syncline/core/time.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "src/sender.h"
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
            const auto wanted = core::Decimal::parse(rate);
            require(wanted && wanted->sign() > 0, "--rate is a number above 0");
            const auto millis = core::Decimal(options.orders * 1'000).divided_by(*wanted, 0, core::Rounding::half_up);
            options.duration = std::chrono::milliseconds(std::max<std::int64_t>(millis.value().to_int64().value(), 1));
        }
        if (start == "now") {
            options.start = core::system_clock().now();
        } else if (!start.empty()) {
            const auto time = core::parse_rfc3339(start);
            require(time.has_value(), "--start is a time of RFC 3339 or now");
            options.start = *time;
        }
        return options;
    }

    static void require(bool holds, const std::string& message) {
        if (!holds) {
            throw UsageError{message};
        }
    }

    static std::uint64_t per_million(const std::string& name, const std::string& text) {
        const auto share = core::Decimal::parse(text);
        const auto scaled = share * core::Decimal(1'000'000);
        require(scaled && share->sign() >= 0 && *share <= core::Decimal(1), name + " is a share from 0 to 1");
        return static_cast<std::uint64_t>(scaled->rounded(0, core::Rounding::down).to_int64().value());
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
        app.add_option("--secret", secrets, "alias=FILE with the shop's secret")->delimiter(',')->required();
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

int generate(WorkloadWords& words, const std::string& out) {
    const auto options = words.read();
    std::FILE* const file = out == "-" ? stdout : std::fopen(out.c_str(), "we");
    if (file == nullptr) {
        throw UsageError{"cannot write " + out};
    }
    loadgen::Workload workload(options);
    while (const auto webhook = workload.next()) {
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

int send(WorkloadWords& words, SendWords& sending) {
    sending.read();
    loadgen::Report report;
    if (sending.in.empty()) {
        const auto options = words.read();
        for (const auto& shop : options.shops) {
            WorkloadWords::require(sending.options.secrets.contains(shop.alias), "--secret for " + shop.alias + " is missing");
        }
        loadgen::Workload workload(options);
        report = loadgen::send_all(sending.options, [&] { return workload.next(); });
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

void list_kinds() {
    const auto shares = loadgen::Shares::everything();
    for (std::size_t i = 0; i < loadgen::kKinds; ++i) {
        const auto kind = static_cast<loadgen::Kind>(i);
        fmt::print("{:24} {}\n", loadgen::to_string(kind), shares.weight(kind));
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Seeded Shopify webhooks: generate them, send them as Shopify does, tell what must have become of them."};
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
    CLI11_PARSE(app, argc, argv);
    try {
        if (listing->parsed()) {
            list_kinds();
            return 0;
        }
        if (generating->parsed()) {
            return generate(words, out);
        }
        if (expecting->parsed()) {
            loadgen::write_expectations(words.read(), [](const std::string& line) { fmt::print("{}\n", line); });
            return 0;
        }
        return send(words, sending);
    } catch (const UsageError& error) {
        fmt::print(stderr, "loadgen: {}\n", error.message);
        return 2;
    }
}
