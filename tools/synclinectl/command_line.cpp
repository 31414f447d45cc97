#include "command_line.h"

#include "verbs.h"

#include <syncline/core/time.h>
#include <syncline/kafka/client.h>
#include <CLI/CLI.hpp>
#include <functional>
#include <ostream>

namespace synclinectl {
namespace {

constexpr const char* kDescription =
    "Looks into a running Syncline and acts on it, through the services' admin ports and Kafka.\n"
    "Exit codes: 0 done, 1 nothing found, refused or a failed check, 2 usage, 3 a service or the brokers did not answer.";

struct Given {
    Options options;
    std::string targets_file = ".dev/targets.yaml";
    int timeout_s = 10;
    std::string format = "table";
    // What was chosen: set by the verb's callback, run once the whole line has been read.
    std::function<int(Services&)> verb;
};

// "2026-11-21T10:00:00Z", or a stretch back from now: 30m, 12h, 7d.
std::string since_of(const std::string& text) {
    if (syncline::core::parse_rfc3339(text)) {
        return {};
    }
    return "must be a time like 2026-11-21T10:00:00Z or a stretch like 30m, 12h, 7d";
}

std::string as_time(std::string text) {
    const auto digits = text.substr(0, text.size() - 1);
    if (text.empty() || digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos) {
        return text;
    }
    long count = 0;
    for (const char c : digits) {
        count = count * 10 + (c - '0');
    }
    std::chrono::minutes back{0};
    switch (text.back()) {
        case 'm':
            back = std::chrono::minutes{count};
            break;
        case 'h':
            back = std::chrono::hours{count};
            break;
        case 'd':
            back = std::chrono::days{count};
            break;
        default:
            return text;
    }
    return syncline::core::format_rfc3339_utc(
        std::chrono::floor<std::chrono::seconds>(syncline::core::system_clock().now() - back));
}

class CommandLine {
public:
    CommandLine() : app_(kDescription, "synclinectl") {
        app_.require_subcommand(1);
        app_.fallthrough();
        app_.set_version_flag("--version", "synclinectl, " + syncline::kafka::library_version());
        app_.add_option("--targets", given_.targets_file, "File with the addresses of services and brokers")
            ->envname("SYNCLINE_TARGETS")
            ->capture_default_str();
        app_.add_option("--timeout", given_.timeout_s, "Seconds to wait for each answer")
            ->check(CLI::Range(1, 600))
            ->capture_default_str();
        app_.add_option("-o,--output", given_.format, "How to print")
            ->check(CLI::IsMember({"table", "json", "csv"}))
            ->capture_default_str();
        app_.add_option("--service", given_.options.service, "Only this service, e.g. order-export");
        app_.add_option("--connection", given_.options.connection, "Only this connection, e.g. odoo-main");
        add_dead_letters();
        add_holds();
        add_rest();
        add_order_checks();
        add_stock_runs();
        add_stock_backfill();
    }

    CLI::App& app() { return app_; }
    Given& given() { return given_; }

private:
    CLI::App* group(const std::string& name, const std::string& help) {
        auto* group = app_.add_subcommand(name, help);
        group->require_subcommand(1);
        group->fallthrough();
        return group;
    }

    // One that several verbs of different services share.
    CLI::App* shared_group(const std::string& name, const std::string& help) {
        for (auto* made : app_.get_subcommands([&](CLI::App* known) { return known->get_name() == name; })) {
            return made;
        }
        return group(name, help);
    }

    CLI::App* verb(CLI::App& parent, const std::string& name, const std::string& help, const std::string& example,
                   std::function<int(Services&)> run) {
        auto* verb = parent.add_subcommand(name, help);
        verb->footer("Example:\n  synclinectl " + example);
        verb->fallthrough();
        verb->callback([this, run = std::move(run)] { given_.verb = run; });
        return verb;
    }

    void filters(CLI::App& verb) {
        verb.add_option("--shop", given_.options.shop, "Only this shop");
        verb.add_option("--code", given_.options.code, "Only this code");
        verb.add_option("--key", given_.options.key, "Only this key, e.g. eu/5001");
        verb.add_option("--limit", given_.options.limit, "At most so many of each service")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
    }
    void dead_letter_filters(CLI::App& verb) {
        filters(verb);
        verb.add_option("--class", given_.options.error_class, "Only this kind of error: rejected, malformed, bug …");
        verb.add_option("--since", given_.options.since, "Only later ones: a time, or 30m, 12h, 7d")
            ->transform(CLI::Validator(
                [](std::string& text) {
                    text = as_time(text);
                    return since_of(text);
                },
                "TIME"));
        verb.add_option("--state", given_.options.state, "dead, replayed, discarded or all; dead if not given");
    }
    // A verb that writes: with a reason, or as a dry run.
    CLI::App* writing(CLI::App& parent, const std::string& name, const std::string& help, const std::string& example,
                      std::function<int(Services&)> run) {
        auto* made = verb(parent, name, help, example, [run = std::move(run)](Services& services) {
            if (services.options().reason.empty() && !services.options().dry_run) {
                services.err()
                    << "synclinectl: say why with --reason (kept with your name in the audit), or try it with --dry-run\n";
                return kUsage;
            }
            return run(services);
        });
        made->add_option("--reason", given_.options.reason, "Why; kept with your name in the audit");
        made->add_flag("--dry-run", given_.options.dry_run, "Only say what would be done");
        return made;
    }

    void add_dead_letters() {
        auto* dlq = group("dlq", "Dead letters: events that were given up");
        dead_letter_filters(*verb(*dlq, "list", "Lists them, newest first", "dlq list --class rejected --shop eu --since 12h",
                                  list_dead_letters));
        verb(*dlq, "show", "Everything known of one, without its content", "dlq show 0b9c6a4e-…",
             [this](Services& services) { return show_dead_letter(services, first()); })
            ->add_option("id", arguments_, "Id of the dead letter")
            ->required()
            ->expected(1);
        for (const std::string name : {"replay", "discard"}) {
            const bool replay = name == "replay";
            auto* act = writing(*dlq, name, replay ? "Handles them again, in their order" : "Gives them up for good",
                                "dlq " + name + " 0b9c6a4e-… --reason \"mapping mended\"\n  synclinectl dlq " + name +
                                    " --all --code lines_missing --dry-run",
                                [this, name](Services& services) {
                                    if (arguments_.empty() == !all_) {
                                        services.err() << "synclinectl: name dead letters, or take --all with filters\n";
                                        return kUsage;
                                    }
                                    return act_on_dead_letters(services, name, arguments_, all_);
                                });
            act->add_option("ids", arguments_, "Ids of dead letters");
            act->add_flag("--all", all_, "All that fit the filters (and --limit)");
            dead_letter_filters(*act);
            if (replay) {
                act->add_option("--replay-id", given_.options.replay_id, "Name of this replay: the same name twice is done once");
            }
        }
    }

    void add_holds() {
        auto* hold = group("hold", "Holds: what waits for a mapping or a person");
        filters(*verb(*hold, "list", "Lists them, oldest first", "hold list --code totals_differ", list_holds));
        key_of(*verb(*hold, "show", "What of a key is held, and why, with both figures", "hold show eu/5001",
                     [this](Services& services) { return show_hold(services, first()); }));
        key_of(*writing(*hold, "release", "Looks at it again as it is", "hold release eu/5001 --reason \"mapping mended\"",
                        [this](Services& services) { return release_hold(services, first()); }));
        auto* over = writing(*hold, "override", "Goes on in spite of the reason",
                             "hold override eu/5001 --reason \"agreed with accounting\"",
                             [this](Services& services) { return override_hold(services, first()); });
        key_of(*over);
        over->add_option("--code", given_.options.code, "What is overridden; needed if it is held for several reasons");
        auto* parked = group("parked", "Parked: what is tried again by itself");
        filters(*verb(*parked, "list", "Lists them, oldest first", "parked list --connection odoo-main", list_parked));
    }

    void add_rest() {
        auto* connection = group("connection", "A target system as a whole");
        for (const std::string name : {"pause", "resume"}) {
            const bool pausing = name == "pause";
            writing(*connection, name,
                    pausing ? "Stops handling in all instances; Kafka is the buffer" : "Goes on in all instances",
                    "connection " + name + " odoo-main --reason maintenance",
                    [this, pausing](Services& services) { return pause_connection(services, pausing); })
                ->add_option("name", given_.options.connection, "The connection, e.g. odoo-main")
                ->required();
        }
        auto* order = verb(app_, "order", "The life of one order, from all services and Kafka", "order eu 5001",
                           [this](Services& services) {
                               const auto log = services.targets().brokers.empty()
                                                    ? nullptr
                                                    : kafka_event_log(services.targets(), services.options().timeout);
                               return show_order(services, log.get(), arguments_.at(0), arguments_.at(1), scan_);
                           });
        order->add_option("shop and order", arguments_, "Alias of the shop and Shopify's id of the order")
            ->required()
            ->expected(2);
        order
            ->add_option("--scan", scan_,
                         "Newest records of each partition to look through for events no service has settled yet")
            ->check(CLI::Range(0, 100'000))
            ->capture_default_str();
        writing(app_, "redrive", "Does an event again that is done or was skipped",
                "redrive 5f0c… --connection odoo-main --dry-run",
                [this](Services& services) { return redrive(services, first()); })
            ->add_option("event", arguments_, "ce_id of the event (`order` shows it)")
            ->required()
            ->expected(1);
        verb(app_, "doctor", "Checks brokers, topics and their settings, ACLs, services, databases, targets and webhook secrets",
             "doctor -o json", [](Services& services) {
                 const auto cluster = services.targets().brokers.empty()
                                          ? nullptr
                                          : kafka_cluster_view(services.targets(), services.options().timeout);
                 return doctor(services, cluster.get());
             });
    }

    CLI::Validator time_validator() {
        return CLI::Validator(
            [](std::string& text) {
                text = as_time(text);
                return since_of(text);
            },
            "TIME");
    }

    void add_order_checks() {
        auto* reconcile = shared_group("reconcile", "Compares Shopify with what came, and heals");
        auto* backfill = shared_group("backfill", "Sends again what Shopify or the sources have");
        for (const std::string kind : {"reconcile", "backfill"}) {
            const bool all = kind == "backfill";
            auto* orders = writing(all ? *backfill : *reconcile, "orders",
                                   all ? "Fetches every order that changed in a window and sends it again"
                                       : "Looks for orders that changed in a window and never came, and fetches them",
                                   kind + " orders --shop eu --since 7d --wait --reason \"webhooks were away\"\n  synclinectl " +
                                       kind + " orders --shop eu --since 2026-11-01T00:00:00Z --dry-run",
                                   [this, kind](Services& services) {
                                       window_.kind = kind;
                                       window_.wait_at_most = std::chrono::seconds{wait_seconds_};
                                       return check_orders(services, window_);
                                   });
            orders->add_option("--shop", given_.options.shop, "The shop")->required();
            orders->add_option("--since", given_.options.since, "From when on: a time, or 30m, 12h, 7d")
                ->required()
                ->transform(time_validator());
            orders->add_option("--until", window_.until, "Up to when; now if not given")->transform(time_validator());
            orders->add_flag("--wait", window_.wait, "Until it is through, with progress");
            orders->add_option("--wait-at-most", wait_seconds_, "Seconds; the run goes on afterwards")
                ->check(CLI::Range(1, 86'400))
                ->capture_default_str()
                ->each([this](const std::string&) { window_.wait = true; });
        }
        verb(*reconcile, "order-run", "How far a run of orders is", "reconcile order-run 5f0c…",
             [this](Services& services) { return show_order_check(services, first()); })
            ->add_option("id", arguments_, "Id of the run")
            ->required()
            ->expected(1);
    }

    void add_stock_runs() {
        auto* reconcile = shared_group("reconcile", "Compares Shopify with what came, and heals");
        auto* stock = writing(
            *reconcile, "stock", "Compares a shop's stock with inventory-sync's and with every source's snapshot",
            "reconcile stock --shop eu --wait --reason \"a customer saw another level\" -o csv", [this](Services& services) {
                stock_run_.wait_at_most = std::chrono::seconds{wait_seconds_};
                return reconcile_stock(services, stock_run_);
            });
        stock->add_option("--shop", given_.options.shop, "The shop")->required();
        stock->add_option("--location", stock_run_.location, "Only this location, Shopify's id of it");
        stock->add_option("--source", stock_run_.source, "Only this side: a source of the mapping, or syncline");
        stock->add_flag("--accept-size", stock_run_.accept_size, "Take a snapshot that lost many of its rows as it is");
        stock->add_flag("--wait", stock_run_.wait, "Until it is through; then its report");
        stock->add_option("--wait-at-most", wait_seconds_, "Seconds; the run goes on afterwards")
            ->check(CLI::Range(1, 86'400))
            ->capture_default_str()
            ->each([this](const std::string&) { stock_run_.wait = true; });
        auto* list = verb(*reconcile, "list", "Runs of the comparison of stock, newest first",
                          "reconcile list --shop eu --state braked", list_stock_runs);
        list->add_option("--shop", given_.options.shop, "Only this shop");
        list->add_option("--state", given_.options.state,
                         "Only this state: waiting, comparing, announcing, braked, approved, done, failed");
        list->add_option("--limit", given_.options.limit, "At most so many")->check(CLI::Range(1, 1000))->capture_default_str();
        run_of(*verb(*reconcile, "show", "One run of stock: how far it is, its counts and its report",
                     "reconcile show 5f0c… -o json", [this](Services& services) { return show_stock_run(services, first()); }));
        run_of(*writing(*reconcile, "approve", "Lets a run that the brake stopped correct what it wanted to",
                        "reconcile approve 5f0c… --reason \"the warehouse was counted anew\"",
                        [this](Services& services) { return approve_stock_run(services, first()); }));
    }

    void add_stock_backfill() {
        auto* backfill = shared_group("backfill", "Sends again what Shopify or the sources have");
        auto* stock = writing(*backfill, "stock", "Reads every pair of a shop in Shopify and writes what differs",
                              "backfill stock --shop eu --location 124656943 --wait --reason \"levels were typed over\"",
                              [this](Services& services) {
                                  stock_backfill_.wait_at_most = std::chrono::seconds{wait_seconds_};
                                  return backfill_stock(services, stock_backfill_);
                              });
        stock->add_option("--shop", given_.options.shop, "The shop")->required();
        stock->add_option("--location", stock_backfill_.location, "Only this location, Shopify's id of it")
            ->check(CLI::PositiveNumber & CLI::TypeValidator<std::uint64_t>("ID"));
        stock->add_flag("--wait", stock_backfill_.wait, "Until nothing is left to read or send, with progress");
        stock->add_option("--wait-at-most", wait_seconds_, "Seconds; it goes on by itself afterwards")
            ->check(CLI::Range(1, 86'400))
            ->capture_default_str()
            ->each([this](const std::string&) { stock_backfill_.wait = true; });
    }

    void run_of(CLI::App& verb) { verb.add_option("run", arguments_, "Id of the run")->required()->expected(1); }
    void key_of(CLI::App& verb) { verb.add_option("key", arguments_, "Key, e.g. eu/5001")->required()->expected(1); }
    [[nodiscard]] const std::string& first() const { return arguments_.at(0); }

    CLI::App app_;
    Given given_;
    std::vector<std::string> arguments_;
    bool all_ = false;
    int scan_ = 200;
    OrderWindow window_;
    StockRunWish stock_run_;
    StockBackfill stock_backfill_;
    int wait_seconds_ = 3600;
};

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
    CommandLine line;
    try {
        // CLI11 takes them from the back.
        line.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        const auto code = line.app().exit(error, out, err);
        return code == 0 ? kOk : kUsage;
    }
    auto& given = line.given();
    given.options.timeout = std::chrono::seconds{given.timeout_s};
    given.options.format = given.format == "json" ? Format::json : (given.format == "csv" ? Format::csv : Format::table);
    const auto targets = read_targets(given.targets_file);
    if (!targets) {
        err << "synclinectl: " << targets.error().message << '\n';
        if (!targets.error().hint.empty()) {
            err << "  " << targets.error().hint << '\n';
        }
        return kUsage;
    }
    const auto client = syncline::http::make_client({.threads = 2});
    Services services(*targets, given.options, *client, out, err);
    if (services.instances().empty() && (!given.options.service.empty() || !given.options.connection.empty())) {
        err << "synclinectl: " << given.targets_file << " has no such service or connection\n";
        return kUsage;
    }
    return given.verb(services);
}

}  // namespace synclinectl
