#include "verbs.h"

#include <fmt/format.h>
#include <syncline/core/time.h>
#include <syncline/topics.h>
#include <algorithm>
#include <ostream>
#include <set>

namespace synclinectl {
namespace {

using syncline::core::parse_rfc3339;
using syncline::core::SystemTime;
using syncline::json::Value;
using syncline::kafka::Position;

struct Moment {
    SystemTime at;
    std::string where;
    std::string what;
    std::string detail;
};

class Timeline {
public:
    void add(std::string_view time, std::string where, std::string what, std::string detail) {
        if (const auto at = parse_rfc3339(time)) {
            moments_.push_back({*at, std::move(where), std::move(what), std::move(detail)});
        }
    }
    [[nodiscard]] Table table() {
        std::ranges::stable_sort(moments_, {}, &Moment::at);
        Table out{.columns = {"time", "where", "what", "detail"}, .rows = {}};
        for (const auto& moment : moments_) {
            out.rows.push_back({syncline::core::format_rfc3339_utc_millis(moment.at), moment.where, moment.what, moment.detail});
        }
        return out;
    }

private:
    std::vector<Moment> moments_;
};

std::string joined(std::initializer_list<std::string> parts) {
    std::string out;
    for (const auto& part : parts) {
        if (!part.empty()) {
            out += (out.empty() ? "" : " ") + part;
        }
    }
    return out;
}

std::string last_word(const std::string& type) {
    return type.substr(type.rfind('.') + 1);
}

// What became of the key's events in one deployment; the positions tell Kafka where to look.
void add_key(Timeline& timeline, std::set<Position>& positions, const std::string& where, const Value& root) {
    for (const auto& event : items(root, "events")) {
        timeline.add(field(event, "at"), where, field(event, "state"),
                     joined({last_word(field(event, "type")), field(event, "reason")}));
        if (const auto offset = event.int64_of("offset"), partition = event.int64_of("partition"); offset && partition) {
            positions.insert({field(event, "topic"), static_cast<std::int32_t>(*partition), *offset});
        }
    }
    for (const auto& item : items(root, "parked")) {
        const auto expected = field(item, "expected");
        const auto figures =
            expected.empty() ? std::string()
                             : fmt::format("{} expected, {} found {}", expected, field(item, "found"), field(item, "currency"));
        const auto waits = field(item, "waits_for");
        const auto due = field(item, "due_at");
        timeline.add(field(item, "first_at"), where, field(item, "state") == "held" ? "is held" : "waits",
                     joined({field(item, "resource"), field(item, "code"), waits.empty() ? "" : "for " + waits, figures,
                             fmt::format("attempts {}", field(item, "attempts")), due.empty() ? "" : "next " + due}));
    }
    for (const auto& letter : items(root, "dead_letters")) {
        timeline.add(field(letter, "last_at"), where, "dead letter " + field(letter, "state"),
                     joined({field(letter, "id"), field(letter, "class"), field(letter, "code"), field(letter, "reason")}));
    }
    for (const auto& action : items(root, "actions")) {
        timeline.add(field(action, "at"), where, field(action, "verb") + " by " + field(action, "actor"),
                     field(action, "reason"));
    }
    if (const auto unsent = field(root, "outbox_unsent"); !unsent.empty() && unsent != "0") {
        timeline.add(syncline::core::format_rfc3339_utc(syncline::core::system_clock().now()), where, "outbox",
                     unsent + " events not published yet");
    }
}

void add_document(Timeline& timeline, const std::string& where, const Value& root) {
    const auto document = root.get_present("document");
    const auto reference =
        document ? joined({field(*document, "name"), "id " + field(*document, "target_id"), field(*document, "external_key"),
                           field(*document, "expected_total"), field(*document, "currency")})
                 : std::string("no document");
    const auto now = syncline::core::format_rfc3339_utc(syncline::core::system_clock().now());
    if (const auto exported = field(root, "exported_at"); !exported.empty()) {
        timeline.add(exported, where, "in the target", reference);
    }
    timeline.add(now, where, "stands as " + field(root, "state"),
                 joined({reference, field(root, "reason"), "mapping " + field(root, "mapping_version")}));
    for (const auto& refund : items(root, "refunds")) {
        timeline.add(now, where, "refund " + field(refund, "refund_id"),
                     joined({field(refund, "state"), field(refund, "name"), field(refund, "target_id"), field(refund, "code")}));
    }
}

// What order-status says: one entry for each connection that has spoken of the order.
void add_shown(Timeline& timeline, const std::string& where, const Value& root) {
    const auto now = syncline::core::format_rfc3339_utc(syncline::core::system_clock().now());
    for (const auto& status : items(root, "connections")) {
        timeline.add(now, where, "shown as " + field(status, "state"),
                     joined({field(status, "document"), field(status, "connection"), field(status, "reason")}));
    }
}

void add_record(Timeline& timeline, const syncline::kafka::Record& record) {
    const auto summary = summary_of(record);
    if (record.topic == syncline::topics::orders) {
        timeline.add(record.header("syncline-received-at").value_or(""), "ingress", "received", summary);
    }
    timeline.add(syncline::core::format_rfc3339_utc(record.timestamp), "kafka", "published",
                 fmt::format("{} {}/{}@{} {}", summary, record.topic, record.partition, record.offset,
                             record.header("ce_id").value_or("")));
}

}  // namespace

int show_order(Services& services, EventLog* log, const std::string& shop, const std::string& order, int scan) {
    const auto key = shop + "/" + order;
    Timeline timeline;
    std::set<Position> positions;
    services.each(
        [&](AdminPort& port) { return port.get("/admin/keys/" + percent_encoded(shop) + "/" + percent_encoded(order)); },
        [&](const std::string& deployment, const Value& root) { add_key(timeline, positions, deployment, root); });
    services.each(
        [&](AdminPort& port) { return port.get("/admin/orders/" + percent_encoded(shop) + "/" + percent_encoded(order)); },
        [&](const std::string& deployment, const Value& root) {
            if (root.get("connections")) {
                add_shown(timeline, deployment, root);
            } else {
                add_document(timeline, deployment, root);
            }
        });
    bool log_failed = false;
    if (log != nullptr) {
        const auto records = log->records_of(key, {positions.begin(), positions.end()},
                                             {syncline::topics::orders, syncline::topics::exports}, scan);
        if (records) {
            for (const auto& record : *records) {
                add_record(timeline, record);
            }
        } else {
            log_failed = true;
            services.err() << "warning: Kafka: " << records.error().message << '\n';
        }
    }
    const auto code = services.finish(timeline.table());
    return log_failed ? kUnreachable : code;
}

}  // namespace synclinectl
