#include "verbs.h"

#include <fmt/format.h>
#include <syncline/topics.h>
#include <algorithm>
#include <ostream>
#include <set>
#include <sstream>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;
using syncline::json::Value;
using syncline::kafka::TopicDescription;
using syncline::topics::TopicSpec;

class Findings {
public:
    void add(std::string where, std::string check, bool good, std::string text) {
        failed_ = failed_ || !good;
        table_.rows.push_back({good ? "ok" : "FAILED", std::move(where), std::move(check), std::move(text)});
    }
    // Nothing is broken, and yet somebody should look.
    void advise(std::string where, std::string check, std::string text) {
        table_.rows.push_back({"advice", std::move(where), std::move(check), std::move(text)});
    }
    void unreachable(std::string where, std::string check, std::string text) {
        unreachable_ = true;
        add(std::move(where), std::move(check), false, std::move(text));
    }
    [[nodiscard]] const Table& table() const { return table_; }
    [[nodiscard]] int exit_code() const { return unreachable_ ? kUnreachable : (failed_ ? kNothing : kOk); }

private:
    Table table_{.columns = {"result", "where", "check", "finding"}, .rows = {}};
    bool failed_ = false;
    bool unreachable_ = false;
};

std::string setting(const TopicDescription& topic, const char* name) {
    const auto found = topic.config.find(name);
    return found == topic.config.end() ? std::string() : found->second;
}

void check_topic(Findings& findings, const TopicSpec& wanted, const TopicDescription& found) {
    const auto where = "kafka";
    const auto check = "topic " + found.name;
    if (!found.exists) {
        findings.add(where, check, false, "does not exist");
        return;
    }
    std::string wrong;
    const auto compare = [&](std::string_view what, const std::string& want, const std::string& have) {
        if (want != have) {
            wrong += fmt::format("{}{} is {}, should be {}", wrong.empty() ? "" : "; ", what, have, want);
        }
    };
    compare("partitions", std::to_string(wanted.partitions), std::to_string(found.partitions));
    const bool visible = !found.config.empty();
    if (visible) {
        compare("max.message.bytes", std::to_string(wanted.max_message_bytes), setting(found, "max.message.bytes"));
        compare("cleanup.policy", std::string(wanted.cleanup_policy()), setting(found, "cleanup.policy"));
        compare("retention.ms", std::to_string(std::chrono::milliseconds(wanted.retention).count()),
                setting(found, "retention.ms"));
    }
    findings.add(where, check, wrong.empty(),
                 wrong.empty() ? fmt::format("{} partitions, {} replicas{}", found.partitions, found.replication,
                                             visible ? "" : ", settings not visible to this user")
                               : wrong);
}

void check_kafka(Findings& findings, const Targets& targets, ClusterView& cluster) {
    const auto there = cluster.ping();
    if (!there) {
        findings.unreachable("kafka", "brokers", there.error().message);
        return;
    }
    findings.add("kafka", "brokers", !there->brokers.empty(), fmt::format("{} of cluster {}", there->brokers.size(), there->id));

    std::vector<std::string> names;
    for (const auto& topic : syncline::topics::all) {
        names.push_back(fmt::format("{}.{}", targets.prefix, topic.name));
    }
    const auto described = cluster.describe(names);
    if (!described) {
        findings.unreachable("kafka", "topics", described.error().message);
        return;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        check_topic(findings, syncline::topics::all[i], (*described)[i]);
    }

    const auto acls = cluster.acls(targets.prefix + ".");
    if (acls) {
        const auto denied =
            std::ranges::count_if(*acls, [](const auto& acl) { return acl.permission != "ALLOW" && acl.permission != "allow"; });
        findings.add("kafka", "acls", true,
                     acls->empty() ? "none (no authorizer, or none for these topics)"
                                   : fmt::format("{}, {} of them deny", acls->size(), denied));
    } else {
        // Seeing them is a right of its own; not having it is no fault.
        findings.add("kafka", "acls", acls.error().kind == ErrorKind::unauthorized, "not visible: " + acls.error().message);
    }
}

// "[+] postgres ok" and "[-] schema failed: …" of /readyz?verbose, each a finding.
void check_ready(Findings& findings, const std::string& where, const AdminPort::Probe& probe) {
    std::istringstream lines(probe.text);
    std::string line;
    bool any = false;
    while (std::getline(lines, line)) {
        if (!line.starts_with("[+] ") && !line.starts_with("[-] ")) {
            continue;
        }
        any = true;
        const auto space = line.find(' ', 4);
        findings.add(where, "ready: " + line.substr(4, space - 4), line[1] == '+',
                     space == std::string::npos ? "" : line.substr(space + 1));
    }
    if (!any) {
        findings.add(where, "ready", probe.status == 200, fmt::format("status {}", probe.status));
    }
}

void check_shops(Findings& findings, const std::string& where, const Value& root) {
    for (const auto& shop : items(root, "shops")) {
        const auto secrets = field(shop, "secrets");
        const auto readable = field(shop, "secrets_readable");
        const bool enabled = field(shop, "enabled") == "true";
        findings.add(where, "secrets of shop " + field(shop, "alias"), !enabled || (readable == secrets && secrets != "0"),
                     fmt::format("{} of {} readable{}", readable, secrets, enabled ? "" : ", shop is disabled"));
    }
}

void check_connection(Findings& findings, const std::string& where, const Value& root) {
    const bool open = field(root, "circuit_open") == "true";
    const bool paused = field(root, "paused") == "true";
    std::string text = open ? "circuit open: the target does not answer" : "circuit closed";
    if (paused) {
        text += fmt::format(", paused by {}: {}", field(root, "paused_by"), field(root, "reason"));
    }
    findings.add(where, "connection", !open && !paused, text);
}

void check_target(Findings& findings, const std::string& where, const Value& root) {
    for (const auto& check : items(root, "checks")) {
        const auto name = "target: " + field(check, "check");
        if (field(check, "good") == "true" && field(check, "advice") == "true") {
            findings.advise(where, name, field(check, "text"));
        } else {
            findings.add(where, name, field(check, "good") == "true", field(check, "text"));
        }
    }
}

// A route that this service does not have is no finding.
template <typename Check>
void check_route(Findings& findings, AdminPort& port, const std::string& where, std::string_view path, const Check& check) {
    const auto answer = port.get(path);
    if (answer) {
        check(findings, where, answer->root());
    } else if (answer.error().kind != ErrorKind::not_ready) {
        findings.add(where, std::string(path), false, answer.error().code + ": " + answer.error().message);
    }
}

void check_service(Findings& findings, Services& services, const ServiceAddress& instance, bool first) {
    const auto where = instance.deployment() + " " + instance.admin;
    auto port = services.port(instance);
    const auto alive = port.probe("/livez");
    if (!alive) {
        findings.unreachable(where, "alive", alive.error().message);
        return;
    }
    findings.add(where, "alive", alive->status == 200, fmt::format("status {}", alive->status));
    if (const auto ready = port.probe("/readyz?verbose")) {
        check_ready(findings, where, *ready);
    }
    if (const auto version = port.get("/version"); version) {
        findings.add(where, "version", true, field(version->root(), "version"));
        if (const auto schema = field(version->root(), "schema"); !schema.empty()) {
            findings.add(where, "schema", true, schema);
        }
    }
    // What is the same for all instances is asked of the first.
    if (first) {
        check_route(findings, port, where, "/admin/shops", check_shops);
        check_route(findings, port, where, "/admin/connection", check_connection);
        check_route(findings, port, where, "/admin/doctor", check_target);
    }
}

}  // namespace

int doctor(Services& services, ClusterView* cluster) {
    Findings findings;
    if (cluster == nullptr) {
        findings.add("kafka", "brokers", false, "the targets file names no brokers");
    } else {
        check_kafka(findings, services.targets(), *cluster);
    }
    std::set<std::string> seen;
    for (const auto& instance : services.instances()) {
        check_service(findings, services, instance, seen.insert(instance.deployment()).second);
    }
    print(services.out(), findings.table(), services.options().format);
    return findings.exit_code();
}

}  // namespace synclinectl
